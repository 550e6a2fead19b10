"""The dialog in the user's language, of a photo in portrait format; `desk` is the screen."""

import json

window = desk.window(os.environ["DEFOCUS_TEST_TITLE"])
time.sleep(8)
desk.screenshot("dialog")
(OUT / "geometry").write_text(json.dumps(desk.geometry(window)))
desk.key("Escape")
desk.wait("done", 60)
