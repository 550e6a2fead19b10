"""Times what a user waits for at the dialog; `desk` is the screen."""

import json

PICTURE = (130, 80, 400, 200)
ENTRY, MORE = (1027, 107), (1109, 107)  # of the f-number
STEPS = 10


def until(condition, seconds):
    """Wait for something quick, and say when it was there."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            desk.screenshot("too-slow")
            raise TimeoutError("what is timed did not happen")
        time.sleep(0.004)
    return time.monotonic()


def grab():
    return desk.area(dialog, *PICTURE)


def settled():
    """Wait until the preview has stood still for a second."""
    last, since = grab(), time.monotonic()
    while time.monotonic() < since + 1.0:
        now = grab()
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.05)
    return last


def step():
    """Step the f-number up; seconds until the picture looks different."""
    before = settled()
    left, top = desk.screen.place(dialog)
    x, y, width, height = PICTURE
    desk.xdotool("mousemove", str(left + MORE[0]), str(top + MORE[1]))
    time.sleep(0.3)
    began = time.monotonic()
    desk.xdotool("click", "1")

    def changed():
        return desk.screen.pixels(left + x, top + y, width, height) != before

    return until(changed, 20) - began


desk.wait("open", 120)
dialog = desk.window("Portrait Bokeh")
before = grab()
desk.changes(dialog, PICTURE, before, 300)
settled()
desk.screenshot("bench")
# from wide open on, never the same twice: the daemon would remember it
desk.click(dialog, *ENTRY)
desk.key("ctrl+a")
desk.xdotool("type", "0.9")
desk.key("Tab")
steps = [step() for _ in range(STEPS)]
settled()
desk.window("Portrait Bokeh")
pressed = time.monotonic()
desk.key("alt+o")
desk.wait("done", 200)
(OUT / "seen").write_text(json.dumps({"steps": steps, "pressed": pressed}))
