"""What a new user stumbles over in the dialog; `desk` is the screen."""

RIGHT = (380, 40, 140, 300)  # of the preview; the selection is left of it


def away(one, other):
    """How different two areas of the screen are, on the average."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


# a selection limits the blur: the preview shows that, and a click ends it
dialog = Dialog(desk, "Portrait Bokeh")
limited = desk.area(dialog.window, *RIGHT)
desk.screenshot("selection")
dialog.show("original")
original = desk.area(dialog.window, *RIGHT)
dialog.show("result")
desk.window("Portrait Bokeh")
desk.key("alt+w")
blurred = desk.changes(dialog.window, RIGHT, limited)
(OUT / "limited").write_text(str([away(limited, original), away(blurred, original)]))
desk.key("Return")
desk.wait("everywhere")
desk.gone("Portrait Bokeh")

# saved settings bring no point of another photo
dialog = Dialog(desk, "Portrait Bokeh")
dialog.focus(0.85, 0.25)
desk.window("Portrait Bokeh")
desk.key("alt+s")
time.sleep(1)
desk.key("Escape")
desk.wait("cancelled")
desk.gone("Portrait Bokeh")
dialog = Dialog(desk, "Portrait Bokeh")
desk.window("Portrait Bokeh")
desk.key("alt+l")
time.sleep(2)

# F1 and the button open the page
for number, keys in enumerate((["F1"], ["alt+h"])):
    (OUT / "opened").unlink(missing_ok=True)
    desk.key(*keys)
    desk.wait("opened", 20)
    (OUT / f"page-{number}").write_text((OUT / "opened").read_text())
desk.window("Portrait Bokeh")
desk.key("alt+o")  # Return would press the button that the last key went to
desk.wait("loaded")
desk.gone("Portrait Bokeh")

# painted maps: the dialog says so, and brings the first ones back
dialog = Dialog(desk, "Re-render Bokeh")
before = desk.area(dialog.window, *dialog.PICTURE)
desk.screenshot("painted")
desk.window("Re-render Bokeh")
desk.key("alt+i")
desk.changes(dialog.window, dialog.PICTURE, before)
desk.key("Return")
desk.wait("done", 90)
