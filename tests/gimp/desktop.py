"""A screen with GIMP on it, driven by keyboard and mouse; runs inside the root file system.

    python3 desktop.py SCENARIO.py GIMP-SCRIPT.py

The scenario is executed with a `desk` in its globals, while GIMP runs the second script.
"""

import ctypes
import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

OUT = Path(os.environ["DEFOCUS_TEST_OUT"])
HERE = Path(__file__).parent
GIMPRC = """
(show-welcome-dialog no)
(check-updates no)
(color-profile-policy keep)
(theme-color-scheme {scheme})
"""


class Screen:
    """The pixels of the screen, read in less than a millisecond."""

    class Picture(ctypes.Structure):
        """The beginning of Xlib's XImage."""

        _fields_ = [
            *[(name, ctypes.c_int) for name in ("width", "height", "offset", "format")],
            ("data", ctypes.POINTER(ctypes.c_char)),
            *[(name, ctypes.c_int) for name in ("order", "unit", "bit_order", "pad", "depth")],
            ("row", ctypes.c_int),
        ]

    def __init__(self):
        self._x = ctypes.CDLL("libX11.so.6")
        self._x.XOpenDisplay.restype = ctypes.c_void_p
        self._x.XDefaultRootWindow.restype = ctypes.c_ulong
        self._x.XGetImage.restype = ctypes.POINTER(self.Picture)
        self._display = ctypes.c_void_p(self._x.XOpenDisplay(None))
        self._root = ctypes.c_ulong(self._x.XDefaultRootWindow(self._display))

    def place(self, window):
        """Return where a window's inside begins; xdotool counts its frame twice."""
        x, y, child = ctypes.c_int(), ctypes.c_int(), ctypes.c_ulong()
        refs = map(ctypes.byref, (x, y, child))
        inside = ctypes.c_ulong(int(window))
        self._x.XTranslateCoordinates(self._display, inside, self._root, 0, 0, *refs)
        return x.value, y.value

    def pixels(self, x, y, width, height):
        """Return what a part of the screen shows."""
        every_plane, z_pixmap = ctypes.c_ulong(-1), 2
        where = self._display, self._root, x, y, width, height
        picture = self._x.XGetImage(*where, every_plane, z_pixmap)
        data = picture.contents.data[: picture.contents.row * height]
        self._x.XFree(picture.contents.data)
        self._x.XFree(picture)
        return data


class Desk:
    """Xvfb, a window manager and GIMP."""

    size = 1366, 768  # a small laptop's screen

    def __init__(self, batch):
        read_end, write_end = os.pipe()
        screen = "{}x{}x24".format(*self.size)
        self.processes = [
            subprocess.Popen(
                ["Xvfb", "-displayfd", str(write_end), "-screen", "0", screen, "-nolisten", "tcp"],
                pass_fds=[write_end],
                stderr=subprocess.DEVNULL,
            )
        ]
        os.close(write_end)
        os.environ["DISPLAY"] = ":" + os.read(read_end, 16).decode().strip()
        self.screen = Screen()
        self._start("openbox")
        self.park()
        gimprc = next((Path.home() / ".config/GIMP").iterdir()) / "gimprc"
        scheme = os.environ.get("DEFOCUS_TEST_SCHEME", "dark")
        gimprc.write_text(gimprc.read_text() + GIMPRC.format(scheme=scheme))
        code = f"import sys;sys.path.insert(0,{str(HERE)!r});import inside;inside.run({batch!r})"
        self.gimp = self._start(
            "gimp",
            "--no-splash",
            "--batch-interpreter",
            "python-fu-eval",
            "-b",
            code,
            log="gimp.log",
        )

    def _start(self, *argv, log=None):
        with (OUT / log if log else Path(os.devnull)).open("wb") as file:
            process = subprocess.Popen(argv, stdout=file, stderr=subprocess.STDOUT)
        self.processes.append(process)
        return process

    def window(self, title, timeout=90):
        """Wait for a window and give it the focus; its number."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            found = self.xdotool("search", "--onlyvisible", "--name", title).split()
            if found:
                self.xdotool("windowfocus", "--sync", found[-1])
                return found[-1]
            self._check()
            time.sleep(0.2)
        self.screenshot("missing-window")
        raise TimeoutError(f"no window {title!r} within {timeout} s")

    def gone(self, title, timeout=60):
        """Wait until no window has this title."""
        until = time.monotonic() + timeout
        while self.xdotool("search", "--onlyvisible", "--name", title).split():
            if time.monotonic() > until:
                raise TimeoutError(f"window {title!r} is still there")
            time.sleep(0.2)

    def wait(self, name, timeout=60):
        """Wait for a file that the script in GIMP leaves."""
        until = time.monotonic() + timeout
        while not (OUT / name).exists():
            self._check()
            if (OUT / "traceback").exists():
                raise RuntimeError("the script in GIMP failed")
            if time.monotonic() > until:
                self.screenshot("missing-file")
                raise TimeoutError(f"{name} did not appear within {timeout} s")
            time.sleep(0.1)

    def key(self, *keys):
        """Press keys in the focused window."""
        self.xdotool("key", *keys)

    def click(self, window, x, y):
        """Click at a place in a window."""
        self.xdotool("mousemove", "--window", window, str(x), str(y))
        self.xdotool("click", "1")
        self.park()

    def park(self):
        """Take the mouse away: where it rests, a hint pops up and a button looks pressed."""
        self.xdotool("mousemove", "9999", "9999")

    def geometry(self, window):
        """Return left, top, width and height of a window's inside."""
        lines = self.xdotool("getwindowgeometry", "--shell", window).split()
        found = dict(line.split("=") for line in lines)
        return [*self.screen.place(window), int(found["WIDTH"]), int(found["HEIGHT"])]

    def screenshot(self, name, window="root"):
        """Keep a picture of the screen."""
        subprocess.run(["import", "-window", window, str(OUT / f"{name}.png")], check=False)

    def area(self, window, x, y, width, height):
        """Return the pixels of a part of a window."""
        left, top = self.screen.place(window)
        return self.screen.pixels(left + x, top + y, width, height)

    def changes(self, window, area, before, timeout=60):
        """Wait until a part of a window looks different, and no more changes; gives its pixels.

        `before` has to be what the window certainly showed before the change was asked for.
        """
        until = time.monotonic() + timeout
        last = before
        while time.monotonic() < until:
            time.sleep(0.3)
            now = self.area(window, *area)
            if now != before and now == last:
                return now
            last = now
        self.screenshot("nothing-changed")
        raise TimeoutError(f"nothing changed within {timeout} s")

    def settled(self, timeout=30):
        """Wait until the whole screen has stood still for a second.

        Only then GIMP has taken notice of what a script did: Undo, for one, is grey until then.
        """
        until = time.monotonic() + timeout
        last, since = None, time.monotonic()
        while time.monotonic() < since + 1.0:
            now = self.screen.pixels(0, 0, *self.size)
            if now != last:
                last, since = now, time.monotonic()
            if since > until:
                raise TimeoutError(f"the screen did not come to rest within {timeout} s")
            time.sleep(0.1)

    def undo(self):
        """Press Ctrl+Z in GIMP's own window, and wait until the screen shows what it did."""
        self.window("GIMP")
        self.settled()
        before = self.screen.pixels(0, 0, *self.size)
        self.key("ctrl+z")
        until = time.monotonic() + 30
        while self.screen.pixels(0, 0, *self.size) == before:
            if time.monotonic() > until:
                self.screenshot("not-undone")
                raise TimeoutError("Ctrl+Z changed nothing")
            time.sleep(0.1)
        self.settled()

    def tell(self, name):
        """Let the script in GIMP go on."""
        (OUT / name).touch()

    def xdotool(self, *argv):
        done = subprocess.run(
            ["xdotool", *argv], capture_output=True, text=True, check=False, timeout=30
        )
        return done.stdout

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def _check(self):
        if self.gimp.poll() is not None:
            raise RuntimeError(f"GIMP ended with {self.gimp.returncode}")


class Dialog:
    """The dialog with its preview, once the first result is there.

    A fast result is there before anybody looks: it is known by what the untouched photo looks like.
    """

    # of a square photo, in the dialog's window as it opens for the first time
    LEFT, TOP, SIDE = 164, 58, 364
    PICTURE = (176, 80, 348, 300)  # inside of the preview
    AWAY = (176, 230, 348, 120)  # the part of it below the place that is clicked
    BUTTONS = (20, 434, 422, 22)
    STATUS = (20, 520, 600, 40)
    TOOLS = {  # noqa: RUF012
        "focus": 60,
        "sharp": 145,
        "blurred": 230,
        "nearer": 316,
        "farther": 400,
        "eraser": 485,
    }
    VIEWS = {"result": 71, "original": 178, "mask": 285, "depth": 390}  # noqa: RUF012

    def __init__(self, desk, title):
        self.desk = desk
        self.window = desk.window(title)
        self.show("original")
        original = desk.area(self.window, *self.PICTURE)
        self.show("result")
        desk.changes(self.window, self.PICTURE, original)
        self.said = None

    def show(self, view):
        """Switch the preview over, and wait until the buttons show it."""
        before = self.desk.area(self.window, *self.BUTTONS)
        self.desk.click(self.window, self.VIEWS[view], 445)
        self.desk.changes(self.window, self.BUTTONS, before)

    def tool(self, name):
        """Choose what the pointer does."""
        self.desk.click(self.window, self.TOOLS[name], 35)

    def look_at(self, view):
        """Switch over to another picture, and wait until it is there."""
        before = self.desk.area(self.window, *self.PICTURE)
        self.show(view)
        self.desk.changes(self.window, self.PICTURE, before)

    def keys(self, *keys):
        """Press keys in the picture; the middle button gives it the focus and does nothing else."""
        left, top = self.desk.screen.place(self.window)
        self.desk.xdotool("mousemove", str(left + 300), str(top + 200))
        self.desk.xdotool("click", "2")
        self.desk.park()
        self.desk.key(*keys)

    def stroke(self, *points):
        """Draw a line through points of a square photo, as fractions of its sides."""
        for start, end in itertools.pairwise(points):
            self.drag(self.place(*start), self.place(*end))

    def drag(self, start, end, button="1"):
        """Drag in the picture from one place of the window to another."""
        left, top = self.desk.screen.place(self.window)
        steps = 8
        self.desk.xdotool("mousemove", str(left + start[0]), str(top + start[1]))
        self.desk.xdotool("mousedown", button)
        for step in range(1, steps + 1):
            x, y = (round(a + (b - a) * step / steps) for a, b in zip(start, end, strict=True))
            self.desk.xdotool("mousemove", str(left + x), str(top + y))
            time.sleep(0.05)
        self.desk.xdotool("mouseup", button)
        self.desk.park()

    def at_rest(self, anew=False, timeout=120):
        """Wait until nothing computes any more: the line below tells no progress, for a second.

        What it says then is learnt at first, and `anew` after a change, by waiting longer.
        """
        if anew:
            self.said = None
        until = time.monotonic() + timeout
        last, since = None, time.monotonic()
        while time.monotonic() < since + (4.0 if self.said is None else 1.5):
            now = self.desk.area(self.window, *self.PICTURE), self._status()
            if now != last or (self.said is not None and now[1] != self.said):
                last, since = now, time.monotonic()
            if time.monotonic() > until:
                self.desk.screenshot("no-rest")
                raise TimeoutError(f"the picture did not come to rest within {timeout} s")
            time.sleep(0.1)
        self.said = self._status()

    def _status(self):
        return self.desk.area(self.window, *self.STATUS)

    def place(self, x, y):
        """Return where a point of a square photo, as fractions of its sides, is in the window."""
        return round(self.LEFT + x * self.SIDE), round(self.TOP + y * self.SIDE)

    def focus(self, x, y):
        """Click (fractions) in the upper part of the result; wait for the focus, not its mark."""
        before = self.desk.area(self.window, *self.AWAY)
        self.desk.click(self.window, *self.place(x, y))
        self.desk.changes(self.window, self.AWAY, before)


if __name__ == "__main__":
    scenario = {"OUT": OUT, "os": os, "time": time, "Dialog": Dialog}
    source = Path(sys.argv[1]).read_text()
    desk = Desk(sys.argv[2])
    try:
        exec(compile(source, sys.argv[1], "exec"), {**scenario, "desk": desk})
    finally:
        desk.screenshot("last")
        desk.close()
