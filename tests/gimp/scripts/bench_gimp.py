"""Opens the dialog on a large photo and notes when its layers are there."""

import time

image = load(os.path.join(OUT, "photo.png"))
Gimp.Display.new(image)
keep("open", b"")
call("plug-in-bokeh-portrait", image, image.get_layers(), mode=Gimp.RunMode.INTERACTIVE)
keep("layers", {"there": time.monotonic(), "tree": tree(image)})
