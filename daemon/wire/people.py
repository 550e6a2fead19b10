"""Who is where in a photo, as it travels."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from daemon.wire.planes import Fraction

MOST_PEOPLE = 32
"""Points of one request."""
Point: TypeAlias = tuple[Fraction, Fraction]


class Person(Struct, frozen=True, kw_only=True):
    """Somebody in the photo, a person or an animal; places are fractions of width and height."""

    point: Annotated[Point, Meta(description="well inside of them, for `render.people`")]
    outline: Annotated[tuple[Point, ...], Meta(description="corners of the polygon around them")]
