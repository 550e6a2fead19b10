"""Opens the dialog on a photo in portrait format."""

import contextlib

image = load(os.path.join(OUT, "photo.png"))
image.crop(340, 512, 60, 0)
Gimp.Display.new(image)
with contextlib.suppress(RuntimeError):  # cancelled
    call("plug-in-bokeh-portrait", image, image.get_layers(), mode=Gimp.RunMode.INTERACTIVE)
