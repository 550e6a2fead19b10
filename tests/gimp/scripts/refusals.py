"""Everything Portrait Bokeh must refuse, and whether the image stayed as it was."""

facts = {}


def refused(case, image, layers, name="plug-in-bokeh-portrait", **arguments):
    before = [tree(image), [read(x) for x in image.get_layers() if not x.is_group()]]
    try:
        call(name, image, layers, **arguments)
        facts[case] = "no error"
    except RuntimeError as error:
        facts[case] = str(error)
    after = [tree(image), [read(x) for x in image.get_layers() if not x.is_group()]]
    facts[f"{case} untouched"] = before == after


image = image_of(64, 48)
layer = layer_of(image, 64, 48)
if os.environ.get("DEFOCUS_TEST_FAULT"):
    refused("fault", image, [layer])
else:
    other = layer_of(image, 64, 48, name="other")
    refused("several", image, [layer, other])
    refused("none", image, [])
    outer = Gimp.GroupLayer.new(image, "outer")
    image.insert_layer(outer, None, 0)
    refused("group", image, [outer])
    channel = Gimp.Channel.new(image, "spot", 64, 48, 50.0, Gegl.Color.new("red"))
    image.insert_channel(channel, None, 0)
    refused("channel", image, [channel])
    clear = Gimp.Layer.new(
        image, "clear", 64, 48, Gimp.ImageType.RGBA_IMAGE, 100, Gimp.LayerMode.NORMAL
    )
    image.insert_layer(clear, None, 0)
    refused("empty", image, [clear])
    refused("small", image, [layer_of(image, 8, 8)])
    for tool in ("rerender", "focus-here"):
        refused(tool, image, [layer], f"plug-in-bokeh-{tool}")
    indexed = image_of(32, 32)
    flat = layer_of(indexed, 32, 32)
    indexed.convert_indexed(
        Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 16, False, False, ""
    )
    refused("indexed", indexed, [flat])
keep("facts", facts)
