"""GIMP's libraries for Python, each in the version this plug-in is written for."""

from __future__ import annotations

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
gi.require_version("Babl", "0.1")
from gi.repository import Babl, Gegl, Gimp, Gio, GLib, GObject  # noqa: E402

__all__ = ["Babl", "GLib", "GObject", "Gegl", "Gimp", "Gio"]
