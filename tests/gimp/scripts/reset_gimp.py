"""Somebody resets the dialog after all kinds of changes, and takes that back."""

import dataclasses

import within

strokes = plug_in("strokes", "daemon.light")
group_of = plug_in("group")


def stroke():
    path = strokes.Path(strokes.Brush("sharp"), (512, 512))
    for at in (0.2, 0.4):
        path.add(at, 0.7)
    return path.strokes()


def state(dialog):
    """All that was chosen, as the result and the widgets have it."""
    parameters = plug_in("arguments").parameters_of(dialog.config)
    request = dialog.render.request(parameters, dialog.strokes)
    shown = {
        each.get_label(): each.get_active()
        for each in within.below(dialog.window)
        if isinstance(each, within.Gtk.CheckButton) and each.get_mapped()
    }
    return {
        "parameters": dataclasses.asdict(parameters),
        "strokes": len(request.strokes),
        "painted": [name for name in ("matte", "depth") if getattr(request, name)],
        "everywhere": dialog.config.get_property("ignore-selection"),
        "shown": shown,
    }


facts = {}
image = load(os.path.join(OUT, "photo.png"))
source = image.get_layers()[0]
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 200, 512)
first = within.Opened(source)
facts["opened"] = state(first)
for change in (
    lambda: first.drawn(stroke()),
    lambda: first.clicked(0.9, 0.1, more=False),
    lambda: first.config.set_property("f-number", 1.2),
    lambda: first.button("Blur every_where").set_active(True),
):
    change()
    first.settle()
facts["changed"] = state(first)
first.button("As when the dialog opened").clicked()
first.settle()
facts["reset"] = state(first)
first.undo()
first.settle()
facts["reset taken back"] = state(first)
for _ in range(4):
    first.undo()
    first.settle()
facts["all taken back"] = state(first)
first.shut()

# a painted mask: left out as for a new photo, and there again
Gimp.Selection.none(image)
group, composite, mask, depth = call("plug-in-bokeh-portrait", image, [source], f_number=4.0)
write(mask, b"\xff" * (100 * 100 * 3), at=(0, 0, 100, 100))
again = within.Opened(source, group_of.find(mask))
facts["painted"] = state(again)
again.button("As for a new photo").clicked()
again.settle()
facts["new"] = state(again)
again.undo()
again.settle()
facts["new taken back"] = state(again)
again.shut()
keep("facts", facts)
