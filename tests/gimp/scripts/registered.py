"""Whether this GIMP has our menu entry."""

keep("registered", Gimp.get_pdb().procedure_exists("plug-in-bokeh-portrait"))
