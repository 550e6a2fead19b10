"""The dialog opens in the size it was closed in, but never larger than the screen."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from gimp_plugin.editor import GIMP
from gimp_plugin.widgets import Gdk, Gtk

PLACE = GIMP.folder / "window.json"
FIRST = 1160, 700
"""Width and height in logical pixels when it opens for the first time."""
FRAME = 40, 80
"""What a window manager's frame and a desktop's panel take."""


def restore(window: Gtk.Window) -> None:
    """Restore the size that a window had last, as far as the screen has room."""
    width, height = FIRST
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads(PLACE.read_text(encoding="ascii"))
        width, height = int(kept["width"]), int(kept["height"])
    room = _room()
    window.set_default_size(min(width, room[0]), min(height, room[1]))


def keep(window: Gtk.Window) -> None:
    """Remember a window's size; a folder that cannot be written to is no reason to fail."""
    width, height = window.get_size()
    with contextlib.suppress(OSError):
        PLACE.write_text(json.dumps({"width": width, "height": height}), encoding="ascii")


def _room() -> tuple[int, int]:
    display = Gdk.Display.get_default()
    monitor = None if display is None else display.get_primary_monitor() or display.get_monitor(0)
    if monitor is None:
        return FIRST
    area: Any = monitor.get_workarea()
    return area.width - FRAME[0], area.height - FRAME[1]
