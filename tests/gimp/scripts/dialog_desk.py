"""What somebody does at the dialog; `desk` is the screen."""

import json

PICTURE = (40, 40, 400, 300)  # inside of the preview, in the dialog's window
AWAY = (40, 220, 400, 120)  # the part of it below the place that is clicked
BUTTONS = (20, 490, 456, 22)
VIEWS = {"result": 75, "original": 190, "mask": 305, "depth": 420}


def show(dialog, view):
    """Switch the preview over, and wait until the buttons show it."""
    before = desk.area(dialog, *BUTTONS)
    desk.click(dialog, VIEWS[view], 500)
    desk.changes(dialog, BUTTONS, before)


def opened(title):
    """Wait for the dialog and for its first result; a fast one is there before anybody looks."""
    dialog = desk.window(title)
    show(dialog, "original")
    original = desk.area(dialog, *PICTURE)
    show(dialog, "result")
    desk.changes(dialog, PICTURE, original)
    return dialog


dialog = opened("Portrait Bokeh")
desk.screenshot("dialog-preview")
(OUT / "geometry").write_text(json.dumps(desk.geometry(dialog)))
desk.key("Escape")
desk.wait("cancelled")
desk.gone("Portrait Bokeh")

dialog = opened("Portrait Bokeh")
result = desk.area(dialog, *AWAY)
desk.click(dialog, 420, 120)
desk.changes(dialog, AWAY, result)  # not the mark at once, but the picture focused there
desk.screenshot("dialog-focus-moved")
for view in ("original", "mask", "depth"):
    shown = desk.area(dialog, *PICTURE)
    show(dialog, view)
    desk.changes(dialog, PICTURE, shown)
    desk.screenshot(f"dialog-{view}")
desk.window("Portrait Bokeh")
desk.key("Return")
desk.wait("made")
desk.screenshot("layers")
desk.window("GIMP")
desk.key("ctrl+z")

desk.wait("painted")
dialog = opened("Re-render Bokeh")
desk.screenshot("rerender")
desk.key("Return")
desk.wait("rerendered")
desk.screenshot("rerendered")
desk.window("GIMP")
desk.key("ctrl+z")
desk.wait("done", 90)
