"""Goes through the dialog with the Tab key, on each of its pages."""

import within
from within import Gtk

NO_KEY = 0xFFFFFF
facts = {}


def reachable(window):
    """All that takes the keyboard; of buttons of which one is pressed, that one.

    The arrow keys lead to the others.
    """
    for each in within.below(window):
        waits = each.get_mapped() and each.is_sensitive() and each.get_can_focus()
        if waits and not (isinstance(each, Gtk.RadioButton) and not each.get_active()):
            yield each


def stops(window):
    """What the Tab key comes to, in its order, once around."""
    found = []
    window.set_focus(None)
    while len(found) < 200:
        if not window.child_focus(Gtk.DirectionType.TAB_FORWARD):
            break
        if window.get_focus() in found:
            break
        found.append(window.get_focus())
    return found


def told(widget):
    """What a widget is, and where it is in the window."""
    window = widget.get_toplevel()
    at = widget.translate_coordinates(window, 0, 0)
    size = widget.get_allocated_width(), widget.get_allocated_height()
    name = widget.get_accessible().get_name()
    return {"kind": type(widget).__name__, "name": name, "at": at, "size": size}


def letters(window):
    """Letters that are seen underlined."""
    labels = (each for each in within.below(window) if isinstance(each, Gtk.Label))
    return [
        (chr(each.get_mnemonic_keyval()).lower(), each.get_text())
        for each in labels
        if each.get_mapped() and each.is_sensitive() and each.get_mnemonic_keyval() != NO_KEY
    ]


image = load(os.path.join(OUT, "photo.png"))
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 200, 512)
dialog = within.Opened(image.get_layers()[0])
dialog.clicked(0.9, 0.1, more=False)  # the way back to the subject is there then
dialog.settle()
dialog.failed("something to try again")
dialog.failures.clear()
book = next(each for each in within.below(dialog.window) if isinstance(each, Gtk.Notebook))
for page in range(book.get_n_pages()):
    if not book.get_nth_page(page).get_visible():
        dialog.config.set_property("preset", "paper")
        within.rest()
    book.set_current_page(page)
    within.rest()
    found = stops(dialog.window)
    missed = [told(each) for each in reachable(dialog.window) if each not in found]
    title = book.get_tab_label_text(book.get_nth_page(page))
    facts[title] = {
        "stops": [told(each) for each in found],
        "missed": missed,
        "letters": letters(dialog.window),
    }
dialog.shut()
keep("facts", facts)
