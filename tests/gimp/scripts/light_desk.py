"""Takes the picture of the dialog in the light theme; `desk` is the screen."""

dialog = Dialog(desk, "Portrait Bokeh")
dialog.tool("sharp")
dialog.at_rest()
desk.screenshot("gimp-light", dialog.window)
desk.window("Portrait Bokeh")
desk.key("Escape")
desk.wait("done", 60)
