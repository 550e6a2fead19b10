"""Opens the dialog to be painted in, and keeps what came of it."""

image = load(os.path.join(OUT, "photo.png"))
source = image.get_layers()[0]
Gimp.Display.new(image)
group, composite, mask, depth = call(
    "plug-in-bokeh-portrait", image, [source], mode=Gimp.RunMode.INTERACTIVE
)
for layer, name in ((source, "source"), (composite, "composite"), (mask, "mask"), (depth, "depth")):
    keep(name, read(layer, "R'G'B' u8"))
made = call("plug-in-bokeh-rerender", image, [composite])
for layer, name in zip(made[1:], ("composite", "mask", "depth"), strict=True):
    keep(f"{name}-again", read(layer, "R'G'B' u8"))
keep("made", b"")
