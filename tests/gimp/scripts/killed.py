"""Start a long job; the test kills the plug-in meanwhile."""

side = int(os.environ["DEFOCUS_TEST_SIDE"])
image = image_of(side, side)
layer = layer_of(image, side, side)
before = read(layer)
try:
    call("plug-in-bokeh-portrait", image, [layer])
    message = "no error"
except RuntimeError as error:
    message = str(error)
keep("facts", {"untouched": tree(image) == ["photo"] and read(layer) == before, "message": message})
