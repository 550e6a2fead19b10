"""The picture inside the dialog: result, original, mask or depth; a click sets the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gimp_plugin import marker
from gimp_plugin.bindings import GLib
from gimp_plugin.widgets import GdkPixbuf, Gtk

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE = 460  # long side of the preview in pixels: 0.2 MP render well within half a second
VIEWS = (("composite", "Result"), ("original", "Original"), ("matte", "Mask"), ("depth", "Depth"))

Picture = tuple[int, int, bytes]


class Preview(Gtk.Box):
    """Shows 8-bit RGB pictures and tells where it was clicked.

    Parameters
    ----------
    original
        Width, height and pixels of the untouched picture, shown until the first result.
    clicked
        Called with the clicked point as fractions of width and height.
    """

    def __init__(self, original: Picture, clicked: Callable[[float, float], None]) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._pictures: dict[str, Picture] = {"original": original}
        self._view = "composite"
        self._clicked = clicked
        self._point: tuple[float, float] | None = None
        self._image = Gtk.Image()
        frame = Gtk.EventBox()
        frame.add(self._image)
        frame.set_size_request(SIDE, max(300, original[1]))
        frame.set_tooltip_text("Click on what is to be sharp")
        frame.connect("button-press-event", self._on_press)
        self.pack_start(frame, True, True, 0)
        self.pack_start(self._switch(), False, False, 0)
        self._status = Gtk.Label(xalign=0.0, wrap=True, max_width_chars=50, width_chars=50, lines=3)
        self._status.set_size_request(-1, 52)
        self.pack_start(self._status, False, False, 0)
        self._draw()

    def show_pictures(self, pictures: dict[str, Picture]) -> None:
        """Replace some of `composite`, `matte`, `depth`."""
        self._pictures.update(pictures)
        self._draw()

    def mark(self, point: tuple[float, float] | None) -> None:
        """Show where the focus point is, or that there is none."""
        self._point = point
        self._draw()

    def say(self, text: str) -> None:
        """Show one line under the picture."""
        self._status.set_text(text)

    def _switch(self) -> Gtk.Box:
        row = Gtk.ButtonBox(orientation=Gtk.Orientation.HORIZONTAL)
        row.set_layout(Gtk.ButtonBoxStyle.EXPAND)
        first = None
        for view, label in VIEWS:
            button = Gtk.RadioButton.new_with_label_from_widget(first, label)
            button.set_mode(False)
            button.connect("toggled", self._on_view, view)
            row.add(button)
            first = first or button
        return row

    def _on_view(self, button: Gtk.RadioButton, view: str) -> None:
        if button.get_active():
            self._view = view
            self._draw()

    def _on_press(self, frame: Gtk.EventBox, event: object) -> bool:
        width, height, _ = self._picture()
        x = (event.x - (frame.get_allocated_width() - width) / 2) / width
        y = (event.y - (frame.get_allocated_height() - height) / 2) / height
        if 0 <= x < 1 and 0 <= y < 1:
            self._clicked(x, y)
        return True

    def _picture(self) -> Picture:
        return self._pictures.get(self._view, self._pictures["original"])

    def _draw(self) -> None:
        width, height, data = self._picture()
        if self._point is not None:
            data = marker.drawn(width, height, data, self._point)
        pixbuf = GdkPixbuf.Pixbuf.new_from_bytes(
            GLib.Bytes.new(data), GdkPixbuf.Colorspace.RGB, False, 8, width, height, 3 * width
        )
        self._image.set_from_pixbuf(pixbuf)
