"""The libraries for windows; imported only when one opens, since loading Gtk takes its time."""

from __future__ import annotations

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("GdkPixbuf", "2.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GdkPixbuf, GimpUi, Gtk  # noqa: E402

__all__ = ["Gdk", "GdkPixbuf", "GimpUi", "Gtk"]
