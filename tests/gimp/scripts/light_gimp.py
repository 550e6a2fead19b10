"""Opens the dialog."""

import contextlib

image = load(os.path.join(OUT, "photo.png"))
Gimp.Display.new(image)
with contextlib.suppress(RuntimeError):  # cancelled
    call("plug-in-bokeh-portrait", image, image.get_layers(), mode=Gimp.RunMode.INTERACTIVE)
