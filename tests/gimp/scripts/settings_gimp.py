"""Opens the window of Settings and Status."""

call("plug-in-bokeh-settings", mode=Gimp.RunMode.INTERACTIVE)
