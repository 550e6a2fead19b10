"""What GIMP does while a new user stumbles."""


def kept(group):
    return json.loads(bytes(group.get_parasite("defocus-bokeh").get_data()))["parameters"]


def interactive(name, image, layer):
    return call(f"plug-in-bokeh-{name}", image, [layer], mode=Gimp.RunMode.INTERACTIVE)


facts = {}
image = load(os.path.join(OUT, "photo.png"))
source = image.get_layers()[0]
Gimp.Display.new(image)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 200, 512)
group, composite, mask, depth = interactive("portrait", image, source)
facts["everywhere"] = composite.get_mask() is None
facts["preset"] = kept(group)["preset"]
Gimp.Selection.none(image)
image.remove_layer(group)
keep("everywhere", b"")

try:
    interactive("portrait", image, source)
except RuntimeError:
    keep("cancelled", b"")

other = load(os.path.join(OUT, "photo.png"))
write(other.get_layers()[0], bytes(3), at=(0, 0, 1, 1))
group, composite, mask, depth = interactive("portrait", other, other.get_layers()[0])
facts["loaded"] = kept(group)["focus"]
first = read(mask)
write(mask, b"\xff" * (200 * 200 * 3), at=(0, 0, 200, 200))
keep("loaded", b"")

group, composite, mask, depth = interactive("rerender", other, mask)
facts["mask is back"] = read(mask) == first
keep("facts", facts)
