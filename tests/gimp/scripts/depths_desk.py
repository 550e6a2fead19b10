"""Sets the focus range on the depths themselves; `desk` is the screen."""

STRIP, Y = (18, 293), 488  # its left end and its width


def at(depth):
    return round(STRIP[0] + depth * STRIP[1]), Y


dialog = Dialog(desk, "Portrait Bokeh")
dialog.at_rest(anew=True)
# around the subject both ends move
dialog.drag(at(0.875), at(0.8))
dialog.at_rest(anew=True)
desk.screenshot("around-subject", dialog.window)
# the range itself, to where nobody looked yet
dialog.drag(at(0.3), at(0.25))
dialog.at_rest(anew=True)
desk.screenshot("behind", dialog.window)
# now the ends are free: the near one by the mouse, the far one by the keyboard
dialog.drag(at(0.345), at(0.6))
dialog.at_rest(anew=True)
desk.click(dialog.window, 342, Y)
desk.key("ctrl+a")
desk.xdotool("type", "0.1")
desk.key("Tab")
dialog.at_rest(anew=True)
before = desk.area(dialog.window, *dialog.PICTURE)
desk.click(dialog.window, 620, Y)
desk.changes(dialog.window, dialog.PICTURE, before)
desk.screenshot("depths-shown", dialog.window)
desk.window("Portrait Bokeh")
desk.key("alt+o")
desk.wait("made", 120)
