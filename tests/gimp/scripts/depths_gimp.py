"""Opens the dialog, and keeps the settings that somebody chose on the strip of depths."""

image = load(os.path.join(OUT, "photo.png"))
Gimp.Display.new(image)
group = call("plug-in-bokeh-portrait", image, image.get_layers(), mode=Gimp.RunMode.INTERACTIVE)[0]
keep("settings", json.loads(bytes(group.get_parasite("defocus-bokeh").get_data()))["parameters"])
keep("made", b"")
