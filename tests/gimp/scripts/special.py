"""Layers that are more than pixels: masks, selections, blending, groups, filters; small tools."""

facts = {}


def projection(image):
    """What the user sees, as float RGBA."""
    copy = image.duplicate()
    flat = copy.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE)
    flat.resize_to_image_size()
    if not flat.has_alpha():
        flat.add_alpha()
    data = read(flat, "R'G'B'A u8")
    copy.delete()
    return data


def coverage(layer):
    mask = layer.get_mask()
    where = Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height())
    return bytes(mask.get_buffer().get(where, 1.0, "Y u8", Gegl.AbyssPolicy.NONE))


# a selection limits the effect, softly, and a re-render keeps the limit
image = image_of(100, 80)
layer = layer_of(image, 90, 70, at=(5, 5))
before = projection(image)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 50, 80)
Gimp.Selection.feather(image, 6)
group, composite, mask, depth = call("plug-in-bokeh-portrait", image, [layer])
keep("selection.before", before)
keep("selection.after", projection(image))
keep("selection.mask", coverage(composite))
facts["selection kept"] = not Gimp.Selection.is_empty(image)
Gimp.Selection.none(image)
limit = coverage(composite)
group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [group])
facts["limit survives a re-render"] = coverage(composite) == limit
facts["source stays visible under a selection"] = layer.get_visible()

# a half transparent source with a layer mask and a mode is replaced, not doubled
image = image_of(100, 80)
below = layer_of(image, 100, 80, seed=2)
layer = layer_of(image, 90, 70, alpha=True, at=(5, 5))
layer.set_opacity(50.0)
layer.set_mode(Gimp.LayerMode.SCREEN)
mask = layer.create_mask(Gimp.AddMaskType.WHITE)
layer.add_mask(mask)
write(mask, b"\x80" * (90 * 70), "Y u8")
keep("blend.before", projection(image))
group, composite, mask, depth = call("plug-in-bokeh-portrait", image, [layer])
keep("blend.after", projection(image))
keep("blend.alpha", read(composite, "A u8"))
facts["blend"] = [group.get_opacity(), group.get_mode().value_nick, layer.get_visible()]
facts["blend mask"] = sorted(set(coverage(group)))

# a selection on a half transparent layer: neither its edge nor the layer shows twice
image = image_of(100, 80)
below = layer_of(image, 100, 80, seed=2)
layer = layer_of(image, 90, 70, alpha=True, at=(5, 5), name="veil")
layer.set_opacity(80.0)
keep("soft.before", projection(image))
below.set_visible(False)
keep("soft.alpha before", projection(image)[3::4])
below.set_visible(True)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 50, 80)
Gimp.Selection.feather(image, 6)
group, composite, mask, depth = call("plug-in-bokeh-portrait", image, [layer])
rest = group.get_children()[3]
seen = [each.get_visible() for each in (composite, mask, depth, rest, layer)]
facts["soft selection"] = [tree(image), seen]
keep("soft.after", projection(image))
below.set_visible(False)
keep("soft.alpha", projection(image)[3::4])
below.set_visible(True)
keep("soft.limit", coverage(composite))
limit = coverage(composite)
write(layer, b"\xff" * (4 * 90 * 10), "R'G'B'A u8", at=(0, 0, 90, 10))
layer.set_opacity(100.0)
group.set_opacity(100.0)
group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [group], f_number=32.0)
facts["soft limit kept"] = coverage(composite) == limit
keep("soft.again", projection(image))

# inside a group with an offset, below other layers
image = image_of(100, 80)
outer = Gimp.GroupLayer.new(image, "outer")
image.insert_layer(outer, None, 0)
top = layer_of(image, 20, 20, name="top")
image.reorder_item(top, outer, 0)
layer = layer_of(image, 64, 48, at=(11, 7))
image.reorder_item(layer, outer, 1)
group, composite, mask, depth = call("plug-in-bokeh-portrait", image, [layer])
facts["nested"] = tree(image)
facts["nested offsets"] = list(composite.get_offsets())[1:]
facts["active"] = [each.get_name() for each in image.get_selected_layers()]

# the mask of a layer being edited stands for its layer
mask = layer.create_mask(Gimp.AddMaskType.WHITE)
layer.add_mask(mask)
call("plug-in-bokeh-portrait", image, [mask])
facts["active mask"] = len(outer.get_children())

# a non-destructive filter on the source is seen
image = image_of(64, 48)
layer = layer_of(image, 64, 48)
raw = read(layer)
effect = Gimp.DrawableFilter.new(layer, "gegl:invert-gamma", "invert")
layer.append_filter(effect)
group, composite, mask, depth = call("plug-in-bokeh-portrait", image, [layer], f_number=32.0)
keep("filter.raw", raw)
keep("filter.composite", read(composite))
facts["filter stays"] = len(layer.get_filters())
facts["source as before"] = read(layer) == raw

# tools
image = image_of(100, 80)
layer = layer_of(image, 64, 48, at=(20, 10))
(depth,) = call("plug-in-bokeh-depth-map", image, [layer])
facts["depth"] = [depth.get_name(), list(depth.get_offsets())[1:], tree(image)]
keep("tools.depth", read(depth))
call("plug-in-bokeh-select-subject", image, [layer])
where = Gegl.Rectangle.new(20, 10, 64, 48)
selected = image.get_selection().get_buffer()
keep("tools.selection", bytes(selected.get(where, 1.0, "Y u8", Gegl.AbyssPolicy.NONE)))
facts["selection bounds"] = list(Gimp.Selection.bounds(image))[2:]
facts["channels"] = len(image.get_channels())
call("plug-in-bokeh-select-subject", image, [layer], operation="subtract")
facts["subtracted"] = Gimp.Selection.is_empty(image)
(state,) = call("plug-in-bokeh-settings")
facts["state"] = json.loads(state)


def blur_beyond(layer):
    """A filter as it is by default in GIMP, not merged; it draws around the layer as well."""
    effect = Gimp.DrawableFilter.new(layer, "gegl:gaussian-blur", "blur")
    settings = effect.get_config()
    for name, value in {"std-dev-x": 3.0, "std-dev-y": 5.0, "clip-extent": False}.items():
        settings.set_property(name, value)
    effect.update()
    layer.append_filter(effect)
    return effect


# a filter on the source that draws around the layer moves nothing, and can be rendered again
image = image_of(100, 80)
layer = layer_of(image, 64, 48, at=(20, 10))
blur_beyond(layer)
keep("grown.before", projection(image))
group, composite, mask, depth = call("plug-in-bokeh-portrait", image, [layer], f_number=32.0)
facts["grown"] = [composite.get_width(), composite.get_height(), *composite.get_offsets()[1:]]
group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [group])
keep("grown.after", projection(image))

# and reading it leaves nothing behind, not even a step to undo
image = image_of(64, 48)
layer = layer_of(image, 64, 48, alpha=True)
layer.fill(Gimp.FillType.TRANSPARENT)
blur_beyond(layer)
open_images = len(Gimp.get_images())
image.clean_all()
try:
    call("plug-in-bokeh-portrait", image, [layer])
except RuntimeError as error:
    facts["filtered and refused"] = str(error)
facts["untouched"] = [image.is_dirty(), len(Gimp.get_images()) - open_images]

# a map counts as it is painted, however it is shown
image = image_of(100, 80)
layer = layer_of(image, 64, 48, at=(20, 10))
group, composite, mask, depth = call("plug-in-bokeh-portrait", image, [layer])
first = read(composite)


def selected_subject():
    """The mask as the plug-in reads it, all over the image."""
    call("plug-in-bokeh-select-subject", image, [mask])
    where = Gegl.Rectangle.new(0, 0, 100, 80)
    buffer = image.get_selection().get_buffer()
    data = bytes(buffer.get(where, 1.0, "Y u8", Gegl.AbyssPolicy.NONE))
    Gimp.Selection.none(image)
    return data


plain = selected_subject()
for each in (mask, depth):
    each.set_visible(True)
    each.set_opacity(30.0)
    each.set_mode(Gimp.LayerMode.MULTIPLY)
    each.add_mask(each.create_mask(Gimp.AddMaskType.BLACK))
    blur_beyond(each).set_visible(False)
facts["looks of a map"] = selected_subject() == plain
group, composite, mask, depth = call("plug-in-bokeh-rerender", image, [group])
facts["looks of the maps"] = read(composite) == first

# the greys of a painted mask are how much is selected
for precision in ("U8_NON_LINEAR", "U16_NON_LINEAR"):
    grey = image_of(64, 48, precision)
    source = layer_of(grey, 64, 48)
    group, composite, mask, depth = call("plug-in-bokeh-portrait", grey, [source])
    write(mask, bytes(4 * (i // 3 % 64) for i in range(64 * 48 * 3)), "R'G'B' u8")
    call("plug-in-bokeh-select-subject", grey, [mask])
    facts[f"greys {precision}"] = [Gimp.Selection.value(grey, x, 20) for x in range(64)]

# a filter on a map counts as it is seen, and stays
image = image_of(100, 80)
layer = layer_of(image, 64, 48, at=(20, 10))
group, composite, mask, depth = call("plug-in-bokeh-portrait", image, [layer])
image.reorder_item(mask, None, 0)
mask.set_visible(True)
mask.set_opacity(100.0)
blur_beyond(mask)
keep("filtered mask.seen", projection(image))
image.reorder_item(mask, group, 1)
keep("filtered mask.read", selected_subject())
facts["map's filter stays"] = len(mask.get_filters())
call("plug-in-bokeh-rerender", image, [group])
effect = Gimp.DrawableFilter.new(depth, "gegl:invert-gamma", "invert")
depth.append_filter(effect)
call("plug-in-bokeh-rerender", image, [group])

keep("facts", facts)
