"""Takes a picture as aperture in the dialog, renders with it, again, and takes it away."""

import within
from within import Gtk

GREYED = ("aperture", "curvature", "ring")
group_of = plug_in("group")


def result(dialog):
    return dialog.replies[-1].planes["composite"].data


def choose(dialog, name):
    """Click the button; somebody else types the file's name into what opens."""
    keep(f"{name}-wanted", b"")
    dialog.button("Aperture pict_ure...").clicked()
    within.rest()


def state(dialog):
    """What is set, and what the widgets say of it."""
    remove = next(
        each
        for each in within.below(dialog.window)
        if isinstance(each, Gtk.Button) and each.get_tooltip_text() == "No aperture picture"
    )
    labels = [each for each in within.below(dialog.window) if isinstance(each, Gtk.Label)]
    return {
        "picture": dialog.config.get_property("aperture-picture"),
        "greyed": [
            name
            for name in GREYED
            if not dialog.window.get_widget(name, within.Gtk.Widget).get_sensitive()
        ],
        "removable": remove.get_sensitive(),
        "shown": dialog.button("Aperture pict_ure...").get_image().get_pixbuf() is not None,
        "said": [
            each.get_text()
            for each in labels
            if "picture" in each.get_text() and each.get_visible()
        ],
    }, remove


facts = {}
image = load(os.path.join(OUT, "photo.png"))
source = image.get_layers()[0]
first = within.Opened(source)
facts["opened"], _ = state(first)
plain = result(first)
for name in ("words.png", "black.png"):
    choose(first, name)
    facts[name], _ = state(first)
choose(first, "heart.png")
within.until(lambda: result(first) != plain)
facts["heart.png"], _ = state(first)
pages = next(each for each in within.below(first.window) if isinstance(each, Gtk.Notebook))
pages.set_current_page(1)
keep("chosen", b"")
within.until(lambda: os.path.exists(os.path.join(OUT, "looked")))
first.undo()
first.settle()
facts["undone"], _ = state(first)
facts["the first preview again"] = result(first) == plain
first.redo()
first.settle()
text = first.config.get_property("aperture-picture")
first.shut()

settings = {"f_number": 1.2, "highlights": 4.0}
_, composite, *_ = call("plug-in-bokeh-portrait", image, [source], **settings)
keep("round", read(composite, "R'G'B' u8"))
group, composite, mask, depth = call(
    "plug-in-bokeh-portrait", image, [source], aperture_picture=text, **settings
)
keep("hearts", read(composite, "R'G'B' u8"))
_, composite, *_ = call("plug-in-bokeh-rerender", image, [composite])
keep("hearts-again", read(composite, "R'G'B' u8"))
try:
    call("plug-in-bokeh-portrait", image, [source], aperture_picture="a heart")
except RuntimeError as error:
    facts["refused"] = str(error)

again = within.Opened(source, group_of.find(mask))
facts["again"], remove = state(again)
hearts = result(again)
remove.clicked()
within.until(lambda: result(again) != hearts)
facts["removed"], _ = state(again)
again.shut()
keep("facts", facts)
