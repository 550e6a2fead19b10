"""What somebody does at the dialog; `desk` is the screen."""

PICTURE = (40, 40, 400, 300)  # inside of the preview, in the dialog's window
AWAY = (40, 220, 400, 120)  # the part of it below the place that is clicked

dialog = desk.window("Portrait Bokeh")
original = desk.area(dialog, *PICTURE)
desk.changes(dialog, PICTURE, original)
desk.screenshot("dialog-preview")
desk.key("Escape")
desk.wait("cancelled")
desk.gone("Portrait Bokeh")

dialog = desk.window("Portrait Bokeh")
original = desk.area(dialog, *PICTURE)
desk.changes(dialog, PICTURE, original)
result = desk.area(dialog, *AWAY)
desk.click(dialog, 420, 120)
desk.changes(dialog, AWAY, result)  # not the mark at once, but the picture focused there
desk.screenshot("dialog-focus-moved")
for button, x in (("original", 190), ("mask", 305), ("depth", 420)):
    shown = desk.area(dialog, *PICTURE)
    desk.click(dialog, x, 500)
    desk.changes(dialog, PICTURE, shown)
    desk.screenshot(f"dialog-{button}")
desk.window("Portrait Bokeh")
desk.key("Return")
desk.wait("made")
desk.screenshot("layers")
desk.window("GIMP")
desk.key("ctrl+z")

desk.wait("painted")
dialog = desk.window("Re-render Bokeh")
original = desk.area(dialog, *PICTURE)
desk.changes(dialog, PICTURE, original)
desk.screenshot("rerender")
desk.key("Return")
desk.wait("rerendered")
desk.screenshot("rerendered")
desk.window("GIMP")
desk.key("ctrl+z")
desk.wait("done", 90)
