"""Opens the dialog on two people, and keeps what came of the clicks on them."""

image = load(os.path.join(OUT, "photo.png"))
source = image.get_layers()[0]
Gimp.Display.new(image)
group, composite, mask, depth = call(
    "plug-in-bokeh-portrait", image, [source], mode=Gimp.RunMode.INTERACTIVE
)
for layer, name in ((source, "source"), (composite, "composite"), (mask, "mask")):
    keep(name, read(layer, "R'G'B' u8"))
keep("settings", json.loads(bytes(group.get_parasite("defocus-bokeh").get_data()))["parameters"])
keep("made", b"")
