"""Somebody chooses presets, saves one, changes and deletes it by keyboard; `desk` is the screen."""


def letters(text):
    desk.xdotool("type", "--delay", "60", text)


def ok(window):
    desk.settled()
    desk.xdotool("windowfocus", "--sync", window)
    desk.key("alt+o")


# the second of the list, saved under a name
dialog = Dialog(desk, "Portrait Bokeh")
desk.key("alt+p", "Down")
desk.settled()
desk.screenshot("preset-chosen")
desk.key("Tab", "space")
desk.settled()
desk.screenshot("preset-name")
letters("Ulla")
desk.key("Return")
desk.settled()
desk.screenshot("preset-saved")
ok(dialog.window)
desk.wait("made")

# changed: it keeps its name
dialog = Dialog(desk, "Re-render Bokeh")
desk.key("alt+f", "Up", "Tab")
desk.settled()
desk.screenshot("preset-changed")
ok(dialog.window)
desk.wait("changed")

# a damaged file: told of, the ready-made ones work on, nothing is saved over it
dialog = Dialog(desk, "Re-render Bokeh")
desk.screenshot("preset-damaged")
desk.key("alt+p", "Down")
ok(dialog.window)
desk.wait("damaged")

# deleted with the bin: the list, its two buttons
dialog = Dialog(desk, "Re-render Bokeh")
desk.key("alt+p", "End")
desk.settled()
desk.screenshot("preset-own")
desk.key("Tab", "Tab", "space")
desk.settled()
desk.screenshot("preset-deleted")
desk.window("Re-render Bokeh")
desk.key("Escape")
desk.wait("done", 90)
