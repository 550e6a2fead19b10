"""Sets the scenes of the user page's pictures."""

import time


def told(name):
    until = time.monotonic() + 120
    while not os.path.exists(os.path.join(OUT, name)):
        if time.monotonic() > until:
            raise TimeoutError(name)
        time.sleep(0.1)


image = load(os.path.join(OUT, "photo.png"))
source = image.get_layers()[0]
source.set_name("portrait.png")
Gimp.Display.new(image)
keep("open", b"")
told("menu-done")

group, composite, mask, depth = call(
    "plug-in-bokeh-portrait", image, [source], mode=Gimp.RunMode.INTERACTIVE
)
group.set_expanded(True)
Gimp.displays_flush()
keep("made", b"")
told("made-done")

# the strap behind the helmet belongs to the background: paint it black on the mask
mask.set_visible(True)
mask.set_opacity(60.0)  # the photo shines through; what is painted counts all the same
composite.set_visible(False)
image.set_selected_layers([mask])
Gimp.context_set_foreground(Gegl.Color.new("black"))
Gimp.context_set_brush(Gimp.Brush.get_by_name("2. Hardness 075") or Gimp.context_get_brush())
Gimp.context_set_brush_size(40.0)
stroke = [495.0, 400.0, 480.0, 440.0, 500.0, 500.0, 490.0, 450.0]
Gimp.paintbrush_default(mask, stroke)
Gimp.displays_flush()
keep("painted", b"")
told("painted-done")
mask.set_visible(False)
composite.set_visible(True)
call("plug-in-bokeh-rerender", image, [mask], mode=Gimp.RunMode.INTERACTIVE)
Gimp.displays_flush()
keep("again", b"")
told("again-done")
call("plug-in-bokeh-settings", mode=Gimp.RunMode.INTERACTIVE)
