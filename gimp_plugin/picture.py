"""8-bit pictures for the screen and how they are laid over each other, by GdkPixbuf alone.

Cairo is not in every GIMP's Python; what is here works in all of them. Every length is in pixels of
the screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gimp_plugin.bindings import GLib
from gimp_plugin.widgets import GdkPixbuf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.light.view import Area, View

NEAREST, SMOOTH = GdkPixbuf.InterpType.NEAREST, GdkPixbuf.InterpType.BILINEAR
BLACK, WHITE = 0x000000FF, 0xFFFFFFFF


def of_bytes(width: int, height: int, data: bytes) -> GdkPixbuf.Pixbuf:
    """Return a picture of RGB bytes, three a pixel, or of RGBA, four."""
    channels = len(data) // (width * height)
    return GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(data),
        GdkPixbuf.Colorspace.RGB,
        channels == 4,
        8,
        width,
        height,
        channels * width,
    )


@dataclass(frozen=True)
class Shown:
    """One view of a photo: the whole of it, coarse, and a part of it at full size.

    Parameters
    ----------
    whole
        All of it, at any size.
    part
        A part in the photo's own pixels, and where it belongs; or None.
    """

    whole: GdkPixbuf.Pixbuf
    part: tuple[Area, GdkPixbuf.Pixbuf] | None = None

    def put(self, onto: GdkPixbuf.Pixbuf, view: View, columns: int | None = None) -> None:
        """Draw what a view shows of it, or only its first columns."""
        width, height = onto.get_width(), onto.get_height()
        width = width if columns is None else min(columns, width)
        if width <= 0:
            return
        (x, y), scale = view.origin, view.scale
        sides = self.whole.get_width(), self.whole.get_height()
        across, down = (s * scale / w for s, w in zip(view.photo, sides, strict=True))
        self.whole.scale(onto, 0, 0, width, height, -x * scale, -y * scale, across, down, SMOOTH)
        if self.part is None:
            return
        area, piece = self.part
        left, top = (area.left - x) * scale, (area.top - y) * scale
        start, end = _within(left, area.width * scale, width)
        first, last = _within(top, area.height * scale, height)
        if end > start and last > first:
            how = NEAREST if scale >= 1 else SMOOTH
            size = end - start, last - first
            piece.scale(onto, start, first, *size, left, top, scale, scale, how)


def fill(
    onto: GdkPixbuf.Pixbuf, x: float, y: float, width: float, height: float, rgba: int
) -> None:
    """Fill a rectangle, as far as it lies within."""
    left, right = _within(x, width, onto.get_width())
    top, bottom = _within(y, height, onto.get_height())
    if right > left and bottom > top:
        onto.new_subpixbuf(left, top, right - left, bottom - top).fill(rgba)


def cross(onto: GdkPixbuf.Pixbuf, x: float, y: float, unit: int) -> None:
    """Draw a white cross with a black edge and an open middle; `unit` is the width of its lines."""
    arm, gap = 9 * unit, 2 * unit
    column, row = int(x), int(y)
    for edge, colour in ((unit, BLACK), (0, WHITE)):
        long, thick = arm - gap + 2 * edge, unit + 2 * edge
        for start in (gap - edge, -arm - edge):
            fill(onto, column + start, row - edge, long, thick, colour)
            fill(onto, column - edge, row + start, thick, long, colour)


def outline(
    onto: GdkPixbuf.Pixbuf, places: Sequence[tuple[float, float]], unit: int, rgba: int
) -> None:
    """Draw a closed line through some places, edged black."""
    dots = []
    for (x0, y0), (x1, y1) in zip(places, (*places[1:], *places[:1]), strict=True):
        count = max(1, round(max(abs(x1 - x0), abs(y1 - y0)) / unit))
        dots += [
            (x0 + (x1 - x0) * step / count, y0 + (y1 - y0) * step / count) for step in range(count)
        ]
    for x, y in dots:
        fill(onto, x - unit, y - unit, 3 * unit, 3 * unit, BLACK)
    for x, y in dots:
        fill(onto, x, y, unit, unit, rgba)


def overlaid(onto: GdkPixbuf.Pixbuf, layer: GdkPixbuf.Pixbuf, view: View) -> None:
    """Lay a picture of the whole photo with transparency over what a view shows."""
    (x, y), scale = view.origin, view.scale
    sides = layer.get_width(), layer.get_height()
    across, down = (s * scale / w for s, w in zip(view.photo, sides, strict=True))
    width, height = onto.get_width(), onto.get_height()
    layer.composite(onto, 0, 0, width, height, -x * scale, -y * scale, across, down, SMOOTH, 255)


def _within(start: float, length: float, size: int) -> tuple[int, int]:
    return max(0, round(start)), min(size, round(start + length))
