"""A render with its dialog, and no daemon at first."""

image = load(os.path.join(OUT, "photo.png"))
Gimp.Display.new(image)
group, composite, mask, depth = call(
    "plug-in-bokeh-portrait",
    image,
    image.get_layers(),
    mode=Gimp.RunMode.INTERACTIVE,
)
keep(
    "facts",
    {
        "tree": tree(image),
        "ok did nothing": open(os.path.join(OUT, "still")).read() == "True",
    },
)
