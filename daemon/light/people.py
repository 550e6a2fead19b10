"""The people in a photo: who is where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.light.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


Point = tuple[float, float]


@dataclass(frozen=True)
class Person:
    """Somebody, a person or an animal; places are fractions of the photo's width and height.

    Parameters
    ----------
    point
        Well inside of them.
    outline
        Corners of the polygon around them.
    """

    point: Point
    outline: tuple[Point, ...]

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Person:
        """Read one of the protocol's `people`.

        Raises
        ------
        ProtocolError
            It is none.
        """
        outline = entry.get("outline")
        if not isinstance(outline, list):
            raise ProtocolError(f"a person {str(dict(entry))[:80]}")
        return cls(_point(entry.get("point")), tuple(map(_point, outline)))

    def covers(self, x: float, y: float) -> bool:
        """Whether a point is inside of the outline."""
        inside = False
        for (x0, y0), (x1, y1) in zip(
            self.outline, (*self.outline[1:], *self.outline[:1]), strict=True
        ):
            if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
                inside = not inside
        return inside


def at(people: Sequence[Person], x: float, y: float) -> Person | None:
    """Return who is at a point; None where nobody is."""
    return next((person for person in people if person.covers(x, y)), None)


def _point(value: Any) -> Point:
    try:
        x, y = value
        point = float(x), float(y)
    except (TypeError, ValueError) as error:
        raise ProtocolError(f"a point {str(value)[:40]}") from error
    if not all(0 <= side <= 1 for side in point):
        raise ProtocolError(f"a point {str(value)[:40]}")
    return point
