"""Portrait Bokeh on every kind of layer; leaves all pixels as raw bytes and a table about them."""

CASES = {
    # name: precision, grey, alpha, offsets, extra arguments
    "u8": ("U8_NON_LINEAR", False, False, (0, 0), {}),
    "u8-alpha-offset": ("U8_NON_LINEAR", False, True, (17, 9), {}),
    "u8-linear": ("U8_LINEAR", False, False, (0, 0), {}),
    "u8-perceptual": ("U8_PERCEPTUAL", False, False, (0, 0), {}),
    "u16": ("U16_NON_LINEAR", False, False, (0, 0), {}),
    "u16-linear-alpha": ("U16_LINEAR", False, True, (-8, 5), {}),
    "u32": ("U32_NON_LINEAR", False, False, (0, 0), {}),
    "half": ("HALF_LINEAR", False, False, (0, 0), {}),
    "float": ("FLOAT_NON_LINEAR", False, False, (0, 0), {}),
    "float-linear-alpha": ("FLOAT_LINEAR", False, True, (0, 0), {}),
    "double": ("DOUBLE_LINEAR", False, False, (0, 0), {}),
    "grey-u8": ("U8_NON_LINEAR", True, False, (0, 0), {}),
    "grey-u16-alpha": ("U16_NON_LINEAR", True, True, (3, 4), {}),
    "wide-gamut": ("U8_NON_LINEAR", False, False, (0, 0), {}),
    "paper": ("U16_NON_LINEAR", False, False, (0, 0), {"style": "paper"}),
    "dreamy": ("U8_NON_LINEAR", False, False, (0, 0), {"preset": "dreamy"}),
    "point": (
        "U16_NON_LINEAR",
        False,
        False,
        (0, 0),
        {"focus": "point", "focus_x": 0.9, "focus_y": 0.1},
    ),
}

table = {}
for name in os.environ.get("DEFOCUS_TEST_CASES", " ".join(CASES)).split():
    precision, grey, alpha, offsets, arguments = CASES[name]
    image = load(os.path.join(OUT, "photo.png"))
    layer = image.get_layers()[0]
    if name == "wide-gamut":
        image.convert_color_profile(
            Gimp.ColorProfile.new_rgb_adobe(), Gimp.ColorRenderingIntent.PERCEPTUAL, False
        )
    image.convert_precision(getattr(Gimp.Precision, precision))
    if grey:
        image.convert_grayscale()
    if alpha:
        layer.add_alpha()
    layer.set_offsets(*offsets)
    given = os.path.join(OUT, f"{name}.given")
    if os.path.exists(given):
        write(layer, open(given, "rb").read())
    before = read(layer)
    group, composite, mask, depth = call("plug-in-bokeh-portrait", image, [layer], **arguments)
    assert read(layer) == before, "the source was changed"
    for role, each in (
        ("source", layer),
        ("composite", composite),
        ("mask", mask),
        ("depth", depth),
    ):
        keep(f"{name}.{role}", read(each))
    table[name] = {
        "formats": [own_format(each).split("-")[0] for each in (layer, composite, mask, depth)],
        "offsets": [
            list(each.get_offsets())[1:] for each in (layer, group, composite, mask, depth)
        ],
        "visible": [each.get_visible() for each in (layer, group, composite, mask, depth)],
        "size": [layer.get_width(), layer.get_height()],
        "tree": tree(image),
    }
    image.delete()
keep("table", table)
keep("status", call("plug-in-bokeh-settings")[0])
