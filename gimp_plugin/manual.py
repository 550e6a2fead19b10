"""Opens the user's page in the browser."""

from __future__ import annotations

from pathlib import Path

from gimp_plugin.bindings import Gio, GLib

PAGE = Path(__file__).resolve().parent / "help.html"


def open_page() -> bool:
    """Show the page; False when no program takes it."""
    try:
        return bool(Gio.AppInfo.launch_default_for_uri(PAGE.as_uri(), None))
    except GLib.Error:
        return False
