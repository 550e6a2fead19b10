"""Paints in the preview, takes it back and does it again; `desk` is the screen."""

import json

dialog = Dialog(desk, "Portrait Bokeh")
dialog.at_rest()
seen = {}


def look(name):
    dialog.at_rest(anew=True)
    seen[name] = desk.area(dialog.window, *dialog.PICTURE)
    desk.screenshot(name, dialog.window)


look("plain")
dialog.tool("sharp")
dialog.stroke((0.775, 0.2), (0.78, 0.36))
look("sharp")
dialog.tool("blurred")
dialog.stroke((0.17, 0.75), (0.13, 0.88))
look("blurred")
desk.window("Portrait Bokeh")
desk.key("ctrl+z")
look("one-back")
desk.key("ctrl+z")
look("two-back")
desk.key("ctrl+y")
desk.key("ctrl+y")
look("forward")
same = [("one-back", "sharp"), ("two-back", "plain"), ("forward", "blurred")]
facts = {f"{a} is {b}": seen[a] == seen[b] for a, b in same}
facts["painting changes"] = len({seen[name] for name in ("plain", "sharp", "blurred")}) == 3
(OUT / "steps").write_text(json.dumps(facts))
desk.window("Portrait Bokeh")
desk.key("alt+o")
desk.wait("made", 120)
