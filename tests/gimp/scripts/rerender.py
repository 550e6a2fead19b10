"""Re-render through everything users do with layers in between; keeps what happened as JSON."""

import time

facts = {}
image = load(os.path.join(OUT, "photo.png"))
source = image.get_layers()[0]
group, composite, mask, depth = call("plug-in-bokeh-portrait", image, [source], f_number=1.4)
first = read(composite)
keep("first.source", read(source))
keep("first.composite", first)

# nothing edited: the same picture again, from any layer of the group
for name in ("group", "mask", "depth", "composite"):
    active = {"group": group, "mask": mask, "depth": depth, "composite": composite}[name]
    group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [active])
    facts[f"again from {name}"] = read(composite) == first
facts["tree"] = tree(image)

# 8-bit paint on the mask: the left half belongs to the subject now
height = mask.get_height()
write(mask, b"\xff" * (60 * height * 3), at=(0, 0, 60, height))
group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [mask])
keep("painted.mask", read(mask))
keep("painted.depth", read(depth))
keep("painted.composite", read(composite))

# black paint on the whole person: blurred, though the depth says it is in focus
write(mask, bytes(3 * 120 * 120))
_, composite, _, _ = call("plug-in-bokeh-rerender", image, [mask])
keep("nobody.composite", read(composite))
write(mask, open(os.path.join(OUT, "painted.mask"), "rb").read())
group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [group])
facts["unpainted again"] = (
    read(composite) == open(os.path.join(OUT, "painted.composite"), "rb").read()
)

# other settings from a script, and back to those kept
group, composite, mask, depth = call(
    "plug-in-bokeh-rerender", image, [group], keep_settings=False, f_number=16.0
)
keep("stopped-down.composite", read(composite))
group, composite, mask, depth = call("plug-in-bokeh-portrait", image, [group], f_number=1.4)
facts["settings on the group"] = (
    read(composite) == open(os.path.join(OUT, "painted.composite"), "rb").read()
)

# what is done to the Composite as a layer stays with it
wave = Gimp.DrawableFilter.new(composite, "gegl:saturation", "Muted")
wave.get_config().set_property("scale", 0.25)
wave.update()
composite.append_filter(wave)
composite.set_color_tag(Gimp.ColorTag.RED)
composite.set_lock_content(True)
composite.set_lock_position(True)
before = read(composite)
group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [composite])
(kept,) = composite.get_filters()
facts["filter"] = [kept.get_operation_name(), kept.get_config().get_property("scale")]
facts["colour tag"] = composite.get_color_tag() == Gimp.ColorTag.RED
facts["locked"] = composite.get_lock_content() and composite.get_lock_position()
composite.set_lock_content(False)
composite.set_lock_position(False)
facts["under the filter"] = read(composite) == before
kept.delete()

# renamed, moved into another group, nudged on the canvas
group.set_name("My blur")
composite.set_name("Picture")
mask.set_name("Who")
composite.set_opacity(60.0)
outer = Gimp.GroupLayer.new(image, "Outer")
image.insert_layer(outer, None, 0)
image.reorder_item(group, outer, 0)
source.set_offsets(5, 7)
group.set_offsets(5, 7)
group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [composite])
facts["renamed"] = tree(image)
facts["opacity"] = composite.get_opacity()
facts["offsets"] = list(composite.get_offsets())[1:]
facts["moved is the same"] = (
    read(composite) == open(os.path.join(OUT, "painted.composite"), "rb").read()
)

# saved, closed, opened
path = save(image, "kept.xcf")
image.delete()
image = load(path)
group = image.get_layers()[0].get_children()[0]
started = time.monotonic()
group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [group])
facts["reopened is the same"] = (
    read(composite) == open(os.path.join(OUT, "painted.composite"), "rb").read()
)
facts["reopened"] = tree(image)

# the focus moves to a point, then to the selection's centre
source = next(layer for layer in image.get_layers() if not layer.is_group())
call("plug-in-bokeh-focus-here", image, [mask], x=0.9, y=0.1)
facts["focus point"] = json.loads(bytes(group.get_parasite("defocus-bokeh").get_data()))[
    "parameters"
]
image.select_rectangle(Gimp.ChannelOps.REPLACE, 5 + 54, 7 + 30, 12, 12)
call("plug-in-bokeh-focus-here", image, [group.get_children()[2]])
facts["focus selection"] = json.loads(bytes(group.get_parasite("defocus-bokeh").get_data()))[
    "parameters"
]
Gimp.Selection.none(image)

# nobody is the subject: an untouched Mask shows that; a painted one is the user's
fresh = load(os.path.join(OUT, "photo.png"))
its_group, _, its_mask, _ = call("plug-in-bokeh-portrait", fresh, [fresh.get_layers()[0]])
first_mask = read(its_mask)
nobody = {"people": "none"}
_, _, its_mask, _ = call("plug-in-bokeh-portrait", fresh, [its_group], **nobody)
facts["mask of nobody"] = max(read(its_mask))
facts["mask stays hidden"] = not its_mask.get_visible()
_, _, its_mask, _ = call("plug-in-bokeh-portrait", fresh, [its_group])
facts["mask is back"] = read(its_mask) == first_mask
write(its_mask, b"\xff" * (60 * its_mask.get_height() * 3), at=(0, 0, 60, its_mask.get_height()))
painted = read(its_mask)
_, _, its_mask, _ = call("plug-in-bokeh-portrait", fresh, [its_group], **nobody)
facts["painted mask stays"] = read(its_mask) == painted

# the photo gets holes, and an unpainted Mask layer more room around it
its_source = fresh.get_layers()[-1]
its_source.add_alpha()
write(its_source, bytes(10 * 10 * 4), at=(0, 0, 10, 10))
its_mask.resize(its_mask.get_width() + 8, its_mask.get_height() + 8, 4, 4)
_, its_composite, its_mask, _ = call("plug-in-bokeh-rerender", fresh, [its_group])
facts["hole in the composite"] = read(its_composite)[:4][-1]
fresh.delete()

# a removed Mask layer: the network's own mask is used
image.remove_layer(next(x for x in group.get_children() if x.get_name() == "Who"))
group, composite, gone, depth = call("plug-in-bokeh-portrait", image, [group], f_number=1.4)
facts["without mask is the first"] = read(composite) == first
facts["missing member is none"] = gone is None
facts["renamed without Who"] = tree(image)

# the photo stands for the group that was made from it
_, composite, _, _ = call("plug-in-bokeh-rerender", image, [source])
facts["from the photo"] = [read(composite) == first, tree(image) == facts["renamed without Who"]]

# a plain photo gets a group with the focus at the selection
plain = load(os.path.join(OUT, "photo.png"))
plain.select_rectangle(Gimp.ChannelOps.REPLACE, 84, 6, 12, 12)
its_group, _, _, _ = call("plug-in-bokeh-focus-here", plain, [plain.get_layers()[0]])
facts["focus on a plain photo"] = json.loads(
    bytes(its_group.get_parasite("defocus-bokeh").get_data())
)["parameters"]
facts["tree of a plain photo"] = tree(plain)
plain.delete()

# the source was retouched: the group's maps are kept
write(source, b"\x40" * (10 * 10 * 3), at=(0, 0, 10, 10))
group, composite, gone, depth = call("plug-in-bokeh-rerender", image, [group])
facts["retouched changes the picture"] = read(composite) != first


def failure(name, *call_arguments, **arguments):
    before = [tree(image), [read(x) for x in group.get_children()]]
    try:
        call(name, *call_arguments, **arguments)
        facts_of = "no error"
    except RuntimeError as error:
        facts_of = str(error)
    assert [tree(image), [read(x) for x in group.get_children()]] == before, "the image was changed"
    return facts_of


lone = layer_of(image, 20, 20)
facts["not in a group"] = failure("plug-in-bokeh-rerender", image, [lone])
image.remove_layer(lone)
facts["nothing selected"] = failure("plug-in-bokeh-focus-here", image, [group])
source.scale(60, 60, False)
facts["resized source"] = failure("plug-in-bokeh-rerender", image, [group])
image.remove_layer(source)
facts["source gone"] = failure("plug-in-bokeh-rerender", image, [group])
keep("facts", facts)
