"""What users do to the image between two renders, or while one is computed."""

from types import SimpleNamespace

PRECISIONS = [
    f"{sample}_{curve}"
    for sample in ("U8", "U16", "U32", "HALF", "FLOAT", "DOUBLE")
    for curve in ("LINEAR", "NON_LINEAR", "PERCEPTUAL")
]
facts = {}


def portrait(precision="U8_NON_LINEAR", **arguments):
    image = image_of(64, 48, precision)
    source = layer_of(image, 64, 48)
    made = call("plug-in-bokeh-portrait", image, [source], f_number=1.0, **arguments)
    return image, source, *made


def paint(layer, grey, at):
    """Set a rectangle to a grey as the eye sees it, in any precision."""
    write(layer, bytes([grey] * (at[2] * at[3] * 3)), "R'G'B' u8", at=at)


def seen(layer):
    return read(layer, "R'G'B' u8")


def farthest(one, other):
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


# a map means the same in every precision, there and back
def painted():
    image, _, _, _, mask, depth = portrait("FLOAT_NON_LINEAR")
    paint(mask, 128, (0, 0, 30, 30))
    paint(depth, 60, (30, 10, 30, 30))
    return image, *call("plug-in-bokeh-rerender", image, [mask])


image, group, composite, mask, depth = painted()
first = seen(composite)
facts["precision"] = {}
facts["begun afresh"] = [each for each in PRECISIONS if each.startswith(("U8", "HALF"))]
for precision in (*PRECISIONS, "FLOAT_NON_LINEAR"):
    now = getattr(Gimp.Precision, precision)
    if image.get_precision() != now:
        image.convert_precision(now)
    group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [mask])
    facts["precision"][precision] = farthest(seen(composite), first)
    if precision in facts["begun afresh"]:  # those lose some of what is painted
        image.delete()
        image, group, composite, mask, depth = painted()

# nor does a change of precision count as paint
for precision in ("U16_NON_LINEAR", "FLOAT_LINEAR"):
    image, source, group, composite, mask, depth = portrait()
    image.convert_precision(getattr(Gimp.Precision, precision))
    call("plug-in-bokeh-rerender", image, [group], keep_settings=False, people="none")
    mask = next(x for x in group.get_children() if x.get_name() == "Mask")
    facts[f"unpainted {precision}"] = [max(read(mask)), tree(image)]

# locks of the layers, of the group and of one around it
for where in ("composite", "mask", "group", "outer", "source"):
    image, source, group, composite, mask, depth = portrait()
    outer = Gimp.GroupLayer.new(image, "Outer")
    image.insert_layer(outer, None, 0)
    for position, each in enumerate((group, source)):
        image.reorder_item(each, outer, position)
    paint(mask, 0, (0, 0, 64, 48))
    locked = {"composite": composite, "mask": mask, "group": group, "outer": outer}
    item = locked.get(where, source)
    for lock in ("content", "position", "visibility"):
        getattr(item, f"set_lock_{lock}")(True)
    before = seen(composite)
    group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [group])
    item = {"composite": composite, "mask": mask}.get(where, item)
    kept = [getattr(item, f"get_lock_{lock}")() for lock in ("content", "position", "visibility")]
    facts[f"locked {where}"] = [kept, seen(composite) != before, tree(image)]

# a first render inside a locked group, of a layer that the group replaces
image = image_of(64, 48)
source = layer_of(image, 64, 48)
source.set_opacity(50.0)
outer = Gimp.GroupLayer.new(image, "Outer")
image.insert_layer(outer, None, 0)
image.reorder_item(source, outer, 0)
for lock in ("content", "position", "visibility"):
    for each in (outer, source):
        getattr(each, f"set_lock_{lock}")(True)
call("plug-in-bokeh-portrait", image, [source])
facts["made in a locked group"] = [tree(image), source.get_visible(), outer.get_lock_content()]

# what was painted on the Composite is laid aside, once; the active layer stays; the result shows
image, source, group, composite, mask, depth = portrait()
clean = seen(composite)
paint(composite, 200, (5, 5, 20, 20))
painted = seen(composite)
mask.set_visible(True)
composite.set_visible(False)
image.set_selected_layers([mask])
group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [mask])
facts["painted Composite"] = [
    tree(image),
    seen(composite) == clean,
    seen(group.get_children()[3]) == painted,
    [each.get_visible() for each in group.get_children()],
    [each.get_name() for each in image.get_selected_layers()],
]
paint(mask, 255, (0, 0, 20, 20))
group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [mask])
facts["laid aside once"] = [tree(image), [x.get_name() for x in image.get_selected_layers()]]
image.set_selected_layers([composite])
group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [composite])
facts["active Composite"] = [x.get_name() for x in image.get_selected_layers()]

# a change of precision is no paint on the Composite either
image.convert_precision(Gimp.Precision.FLOAT_LINEAR)
call("plug-in-bokeh-rerender", image, [composite])
facts["converted Composite"] = tree(image)

# the eye of a map shows it over the result
image, source, group, composite, mask, depth = portrait()
mask.set_visible(True)
facts["above"] = [image.get_item_position(each) for each in (mask, depth, composite)]
facts["veil"] = [mask.get_opacity(), depth.get_opacity()]


# the image changes while the result is computed: it stays as the user left it
own = {name: plug_in(name) for name in ("background", "rendering", "group")}
light = {name: plug_in(name, "daemon.light") for name in ("errors", "parameters")}
Parameters = light["parameters"].Parameters


def meanwhile(case, change, again=True):
    """Change the image after its pixels were read, then put the result in."""
    image, source, group, _, mask, _ = portrait()
    existing = own["group"].find(group) if again else None
    todo = own["rendering"].Render.of(source, existing)
    reply = own["background"].compute(todo.request(Parameters()))
    change(SimpleNamespace(image=image, source=source, group=group, mask=mask))
    before = [tree(image), [read(x) for x in image.get_layers() if not x.is_group()]]
    try:
        todo.put(Parameters(), reply)
        facts[case] = "no error"
    except light["errors"].PluginError as error:
        facts[case] = str(error)
    after = [tree(image), [read(x) for x in image.get_layers() if not x.is_group()]]
    facts[f"{case} untouched"] = before == after
    image.delete()


meanwhile("group deleted", lambda at: at.image.remove_layer(at.group))
meanwhile("photo deleted", lambda at: at.image.remove_layer(at.source), again=False)
meanwhile("image scaled", lambda at: at.image.scale(32, 24))
meanwhile("image scaled before", lambda at: at.image.scale(32, 24), again=False)
meanwhile("photo painted", lambda at: paint(at.source, 9, (0, 0, 9, 9)), again=False)
meanwhile("mask painted", lambda at: paint(at.mask, 99, (0, 0, 9, 9)))
meanwhile("converted", lambda at: at.image.convert_precision(Gimp.Precision.FLOAT_LINEAR))
keep("facts", facts)
