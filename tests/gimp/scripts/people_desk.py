"""Clicks on one person, on the other too, then on one alone; `desk` is the screen."""

import json

LEFT, TOP, WIDTH, HEIGHT = 18, 74, 663, 332  # of a photo twice as wide as high
FACES = {"left": (0.22, 0.24), "right": (0.78, 0.24)}
dialog = Dialog.__new__(Dialog)
dialog.desk, dialog.window, dialog.said = desk, desk.window("Portrait Bokeh"), None
PICTURE = (LEFT + 4, TOP + 4, WIDTH - 8, HEIGHT - 8)
seen = {}


def place(who):
    x, y = FACES[who]
    left, top = desk.screen.place(dialog.window)
    return str(round(left + LEFT + x * WIDTH)), str(round(top + TOP + y * HEIGHT))


def look(name):
    dialog.at_rest(anew=True, timeout=200)
    seen[name] = desk.area(dialog.window, *PICTURE)
    desk.screenshot(name, dialog.window)


STRIP = (20, 470, 290, 36)  # empty until the first result is there
desk.changes(dialog.window, STRIP, desk.area(dialog.window, *STRIP), 200)
look("subject")
desk.xdotool("mousemove", *place("right"))
desk.changes(dialog.window, PICTURE, seen["subject"])
desk.screenshot("outlined", dialog.window)
desk.xdotool("click", "1")
desk.park()
look("right")
desk.xdotool("mousemove", *place("left"))
desk.xdotool("keydown", "shift")
desk.xdotool("click", "1")
desk.xdotool("keyup", "shift")
desk.park()
look("both")
desk.click(dialog.window, 600, 540)
look("back")
desk.xdotool("mousemove", *place("right"))
desk.xdotool("click", "1")
desk.park()
look("right-again")
facts = {
    "a click changes the picture": seen["right"] != seen["subject"],
    "one more changes it": seen["both"] != seen["right"],
    "back is as before": seen["back"] == seen["subject"],
    "again is the same": seen["right-again"] == seen["right"],
}
(OUT / "steps").write_text(json.dumps(facts))
desk.window("Portrait Bokeh")
desk.key("alt+o")
desk.wait("made", 200)
