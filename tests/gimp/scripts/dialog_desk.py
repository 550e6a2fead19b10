"""What somebody does at the dialog; `desk` is the screen."""

import json

dialog = Dialog(desk, "Portrait Bokeh")
desk.screenshot("dialog-preview")
(OUT / "geometry").write_text(json.dumps(desk.geometry(dialog.window)))
desk.key("Escape")
desk.wait("cancelled")
desk.gone("Portrait Bokeh")

dialog = Dialog(desk, "Portrait Bokeh")
dialog.focus(0.87, 0.22)
desk.screenshot("dialog-focus-moved")
for view in ("original", "mask", "depth"):
    dialog.look_at(view)
    desk.screenshot(f"dialog-{view}")
desk.window("Portrait Bokeh")
desk.key("Return")
desk.wait("made")
desk.screenshot("layers")
desk.undo()
desk.tell("undone-layers")

desk.wait("painted")
Dialog(desk, "Re-render Bokeh")
desk.screenshot("rerender")
desk.key("Return")
desk.wait("rerendered")
desk.screenshot("rerendered")
desk.undo()
desk.tell("undone-render")
desk.wait("done", 90)
