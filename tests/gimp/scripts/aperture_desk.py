"""Somebody types the paths of pictures into the file chooser; `desk` is the screen."""

for name in ("words.png", "black.png", "heart.png"):
    desk.wait(f"{name}-wanted", 120)
    window = desk.window("^Aperture picture$")
    desk.settled()
    desk.xdotool("windowfocus", "--sync", window)
    path = str(OUT / name)
    for part in (path[:1], path[1:]):  # the first letter opens the line that takes the others
        desk.xdotool("type", "--delay", "30", part)
        desk.settled()
    desk.screenshot(f"{name}-chooser")
    desk.key("Return")
    desk.gone("^Aperture picture$")
desk.wait("chosen", 120)
desk.settled()
desk.screenshot("aperture-picture")
(OUT / "looked").touch()
desk.wait("done", 300)
