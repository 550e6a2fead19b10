"""A phone's photo: Depth comes from its file, until that is switched off, cropped, or gone."""

opened = {image.get_imported_file().get_basename(): image for image in Gimp.get_images()}


def depth_of(name, **settings):
    image = opened[f"{name}.jpg"]
    _, _, _, depth = call("plug-in-bokeh-portrait", image, image.get_layers(), **settings)
    keep(name, read(depth, "Y' u8"))
    return depth


depth = depth_of("own")
_, _, _, depth = call("plug-in-bokeh-rerender", depth.get_image(), [depth])
keep("again", read(depth, "Y' u8"))

depth_of("off", own_depth=False)

opened["turned.jpg"].rotate(Gimp.RotationType.DEGREES90)
depth_of("turned")

opened["cropped.jpg"].crop(90, 90, 10, 20)
depth_of("cropped")

os.remove(os.path.join(OUT, "gone.jpg"))
depth_of("gone")
