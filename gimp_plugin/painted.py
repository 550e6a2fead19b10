"""A widget that shows a drawn picture, as large as it is, on fine screens too.

Cairo is not in every GIMP's Python: what is drawn is a GdkPixbuf, and only on fine screens a Cairo
surface is made of it, where there is Cairo.
"""

from __future__ import annotations

from typing import Any

from gimp_plugin import picture
from gimp_plugin.bindings import GLib
from gimp_plugin.widgets import Gdk, GdkPixbuf, Gtk


class Painted(Gtk.EventBox):
    """Draws itself anew at every size; a subclass says what in `paint`.

    Parameters
    ----------
    width, height
        The smallest size, in logical pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        super().__init__(can_focus=True, above_child=True)
        self.size = width, height
        """Width and height in logical pixels."""
        self.density = 1
        """Screen pixels of a logical pixel."""
        self._image = Gtk.Image()
        self._layout = Gtk.Layout()  # lets a picture be larger than the widget is asked to be
        self._layout.add(self._image)
        self.add(self._layout)
        self.set_size_request(width, height)
        self.connect("size-allocate", self._on_size)
        mask = Gdk.EventMask
        self.add_events(
            int(mask.POINTER_MOTION_MASK)
            | int(mask.SCROLL_MASK)
            | int(mask.SMOOTH_SCROLL_MASK)
            | int(mask.LEAVE_NOTIFY_MASK)
            | int(mask.KEY_PRESS_MASK)
        )

    def extent(self) -> tuple[int, int]:
        """Return width and height of what is drawn, in screen pixels; it is shown in the middle."""
        return self.size[0] * self.density, self.size[1] * self.density

    def paint(self, onto: GdkPixbuf.Pixbuf) -> None:
        """Draw into an empty picture of `extent`."""
        raise NotImplementedError

    def resized(self) -> None:
        """Take notice of another `size` or `density`; draws."""
        self.redraw()

    def redraw(self) -> None:
        """Show everything anew."""
        width, height = self.extent()
        onto = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, False, 8, width, height)
        assert onto is not None
        self.paint(onto)
        self._show(onto)
        left, top = (
            round((room - drawn / self.density) / 2)
            for room, drawn in zip(self.size, (width, height), strict=True)
        )
        self._layout.move(self._image, left, top)

    def _show(self, drawn: GdkPixbuf.Pixbuf) -> None:
        if self.density == 1:
            self._image.set_from_pixbuf(drawn)
            return
        try:
            surface = Gdk.cairo_surface_create_from_pixbuf(drawn, self.density, self.get_window())
            self._image.set_from_surface(surface)
        except (TypeError, KeyError, ImportError):  # a Python without Cairo: coarser, but there
            width, height = (max(1, side // self.density) for side in self.extent())
            self._image.set_from_pixbuf(drawn.scale_simple(width, height, picture.SMOOTH))

    def _on_size(self, _: Gtk.Widget, place: Any) -> None:
        # not at once: Gtk passes over a child that wants another size while sizes are given out
        GLib.idle_add(self._fill, max(1, place.width), max(1, place.height))

    def _fill(self, width: int, height: int) -> bool:
        before = self.size, self.density
        self.size, self.density = (width, height), self.get_scale_factor()
        if (self.size, self.density) != before:
            self.resized()
        return False
