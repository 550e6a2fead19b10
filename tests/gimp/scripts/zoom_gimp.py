"""Opens the dialog on a photo that is larger than the screen, and keeps the result's pixels."""

image = load(os.path.join(OUT, "photo.png"))
source = image.get_layers()[0]
Gimp.Display.new(image)
group, composite, mask, depth = call(
    "plug-in-bokeh-portrait", image, [source], mode=Gimp.RunMode.INTERACTIVE
)
keep("composite", read(composite, "R'G'B' u8"))
keep("made", b"")
