"""How a picture is looked at: zoomed and panned in a window, and which part of it is seen.

Three spaces: the photo's pixels at full size; the window's logical pixels, in which the pointer
moves; the screen's own pixels, `density` of them to a logical one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

STEP = 2.0**0.5
"""Two steps of the wheel double the picture."""
LARGEST = 8.0
"""Screen pixels that a pixel of the photo is shown as at most."""
GRID = 64
"""Regions begin and end on multiples of so many pixels: a small movement asks for nothing new."""

ROUNDING = 1e-6


@dataclass(frozen=True)
class Area:
    """A rectangle of the photo in whole pixels.

    Parameters
    ----------
    left, top, width, height
        Pixels of the full size.
    """

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column right of it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """First row below it."""
        return self.top + self.height

    def holds(self, other: Area) -> bool:
        """Whether another one lies within."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )


@dataclass(frozen=True)
class View:
    """A photo in a window.

    Parameters
    ----------
    photo
        Width and height of the photo in pixels.
    window
        Width and height of the window in logical pixels.
    density
        Screen pixels of a logical pixel: 1, or 2 and more on fine screens.
    zoom
        Screen pixels of a pixel of the photo; 1 is "100 %", None fits the photo into the window.
    centre
        What is in the middle of the window, as fractions of the photo's width and height.
    """

    photo: tuple[int, int]
    window: tuple[int, int]
    density: int = 1
    zoom: float | None = None
    centre: tuple[float, float] = (0.5, 0.5)

    @property
    def fit(self) -> float:
        """The zoom at which the whole photo is seen; a small photo is not enlarged."""
        sides = zip(self.window, self.photo, strict=True)
        return min(1.0, *(max(1, w) * self.density / p for w, p in sides))

    @property
    def scale(self) -> float:
        """Screen pixels of a pixel of the photo, as it is shown now."""
        return self.fit if self.zoom is None else self.zoom

    @property
    def is_fit(self) -> bool:
        """Whether the whole photo is seen."""
        return self.zoom is None

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height of what is shown of the photo, in screen pixels."""
        width, height = (
            min(w * self.density, max(1, round(p * self.scale)))
            for w, p in zip(self.window, self.photo, strict=True)
        )
        return width, height

    @property
    def origin(self) -> tuple[float, float]:
        """Where the shown part begins, in pixels of the photo; on a pixel of the screen."""
        x, y = (
            max(0, round(min(c * p - s / self.scale / 2, p - s / self.scale) * self.scale))
            / self.scale
            for c, p, s in zip(self.centre, self.photo, self.shown, strict=True)
        )
        return x, y

    @property
    def area(self) -> Area:
        """What is seen of the photo, in whole pixels."""
        return self._area(1)

    @property
    def region(self) -> Area:
        """What to ask for at full size: a little more than is seen, on a grid."""
        return self._area(GRID)

    @property
    def needs_full_size(self) -> bool:
        """Whether the photo's own pixels are seen, or nearly."""
        return not self.is_fit and self.scale >= 0.5

    def fraction(self, x: float, y: float) -> tuple[float, float] | None:
        """Return the fractions of width and height at a place in the window; None beside the photo.

        Parameters
        ----------
        x, y
            Logical pixels from the window's upper left corner; what is shown is in its middle.
        """
        found = []
        for at, window, shown, origin, photo in zip(
            (x, y), self.window, self.shown, self.origin, self.photo, strict=True
        ):
            inside = at * self.density - (window * self.density - shown) / 2
            if not 0 <= inside < shown:
                return None
            found.append(min(1.0, (origin + inside / self.scale) / photo))
        return found[0], found[1]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point (fractions) of the photo is, in screen pixels of the shown part."""
        at_x, at_y = (
            (fraction * photo - origin) * self.scale
            for fraction, photo, origin in zip((x, y), self.photo, self.origin, strict=True)
        )
        return at_x, at_y

    def resized(self, width: int, height: int, density: int) -> View:
        """Return the view in a window of another size."""
        return replace(self, window=(max(1, width), max(1, height)), density=max(1, density))

    def zoomed(self, factor: float, x: float, y: float) -> View:
        """Zoom, with the point under the pointer (logical pixels) staying where it is.

        Below the size that fits, the view fits.
        """
        scale = min(LARGEST, self.scale * factor)
        if scale <= self.fit * 1.001:
            return replace(self, zoom=None, centre=(0.5, 0.5))
        anchor = self.fraction(x, y) or self.centre
        looked = replace(self, zoom=scale, centre=anchor)
        # pan by what the point is off the pointer now
        here = looked.place(*anchor)
        off = [
            at * self.density - (window * self.density - shown) / 2 - now
            for at, window, shown, now in zip((x, y), self.window, looked.shown, here, strict=True)
        ]
        return looked.panned(off[0] / self.density, off[1] / self.density)

    def at(self, zoom: float | None) -> View:
        """Return the view at another zoom, around the same middle."""
        return replace(self, zoom=zoom, centre=(0.5, 0.5) if zoom is None else self.centre)

    def panned(self, right: float, down: float) -> View:
        """Move the photo by so many logical pixels, as far as it goes."""
        middle = [
            (origin + shown / self.scale / 2 - moved * self.density / self.scale) / photo
            for origin, shown, moved, photo in zip(
                self.origin, self.shown, (right, down), self.photo, strict=True
            )
        ]
        kept = replace(self, centre=(middle[0], middle[1]))
        x, y = (
            (origin + shown / self.scale / 2) / photo
            for origin, shown, photo in zip(kept.origin, kept.shown, self.photo, strict=True)
        )
        return replace(self, centre=(x, y))

    def _area(self, grid: int) -> Area:
        sides = []
        for origin, shown, photo in zip(self.origin, self.shown, self.photo, strict=True):
            start = math.floor(origin / grid + ROUNDING) * grid
            end = min(photo, math.ceil((origin + shown / self.scale) / grid - ROUNDING) * grid)
            sides.append((start, end - start))
        (left, width), (top, height) = sides
        return Area(left, top, width, height)
