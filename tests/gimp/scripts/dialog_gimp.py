"""What GIMP does while somebody sits at the dialog."""

import time


def told(name, seconds=60):
    """Wait without asking GIMP: a layer that goes while it is read hangs the one who reads."""
    until = time.monotonic() + seconds
    while not os.path.exists(os.path.join(OUT, name)):
        if time.monotonic() > until:
            raise TimeoutError(f"nobody did what this script waits for: {name}")
        time.sleep(0.1)


def kept(group):
    return json.loads(bytes(group.get_parasite("defocus-bokeh").get_data()))


facts = {}
image = load(os.path.join(OUT, "photo.png"))
source = image.get_layers()[0]
Gimp.Display.new(image)

# Cancel
try:
    call("plug-in-bokeh-portrait", image, [source], mode=Gimp.RunMode.INTERACTIVE)
    facts["cancelled"] = "no error"
except RuntimeError:
    facts["cancelled"] = tree(image)
keep("cancelled", b"")

# OK, after a click in the preview; then one Ctrl+Z
group, composite, mask, depth = call(
    "plug-in-bokeh-portrait", image, [source], mode=Gimp.RunMode.INTERACTIVE
)
facts["made"] = tree(image)
facts["parameters"] = kept(group)["parameters"]
facts["active"] = [each.get_name() for each in image.get_selected_layers()]
keep("made", b"")
told("undone-layers")
facts["undone"] = tree(image)

# Repeat Filter: the point belongs to the photo it was clicked in
other = load(os.path.join(OUT, "photo.png"))
write(other.get_layers()[0], bytes(3), at=(0, 0, 1, 1))
for name, photo in (("repeated elsewhere", other), ("repeated", image)):
    layer = photo.get_layers()[-1]
    made = call("plug-in-bokeh-portrait", photo, [layer], mode=Gimp.RunMode.WITH_LAST_VALS)
    facts[name] = kept(made[0])["parameters"]["focus"]
    photo.remove_layer(made[0])
other.delete()

# a painted mask, then Re-render with its dialog; then one Ctrl+Z
group, composite, mask, depth = call("plug-in-bokeh-portrait", image, [source])
first = read(composite)
Gimp.context_set_foreground(Gegl.Color.new("white"))
Gimp.context_set_brush_size(60.0)
Gimp.paintbrush_default(mask, [40.0, 40.0, 40.0, 200.0, 90.0, 60.0])
keep("painted", b"")
group, composite, mask, depth = call(
    "plug-in-bokeh-rerender", image, [mask], mode=Gimp.RunMode.INTERACTIVE
)
second = read(composite)
facts["paint changed"] = first != second
facts["paint sharp"] = second[3 * (512 * 40 + 40) :][:3] == read(source)[3 * (512 * 40 + 40) :][:3]
keep("rerendered", b"")
told("undone-render")
facts["re-render undone"] = [tree(image), read(group.get_children()[2]) == first]

# XCF round trip
group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [mask])
facts["again the same"] = read(composite) == second
opened = load(save(image, "kept.xcf"))
group, composite, mask, depth = call("plug-in-bokeh-rerender", opened, [opened.get_layers()[0]])
facts["reopened the same"] = read(composite) == second
facts["reopened"] = tree(opened)
keep("facts", facts)
