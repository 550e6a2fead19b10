"""Times what a user waits for after OK; `desk` is the screen."""

import json

dialog = Dialog(desk, "Portrait Bokeh")
dialog.at_rest()
desk.window("Portrait Bokeh")
pressed = time.monotonic()
desk.key("alt+o")
desk.wait("done", 200)
(OUT / "pressed").write_text(json.dumps(pressed))
