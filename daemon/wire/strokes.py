"""Brush strokes as they travel: the fields of `bokeh_core.strokes.Stroke`; a test compares."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from daemon.wire.planes import Fraction

MOST_STROKES = 512
"""Of one request; its header has room for some thousand points."""
Coordinate: TypeAlias = Annotated[int, Meta(ge=0, le=65_535)]


class Stroke(Struct, frozen=True, kw_only=True):
    """One stroke of a brush on the matte or the depth, in pixels of the full-size image."""

    plane: Annotated[
        Literal["matte", "depth"],
        Meta(description="matte: raise is sharp, lower blurred; depth: nearer, farther"),
    ]
    effect: Annotated[
        Literal["raise", "lower", "erase"],
        Meta(description="erase brings back what was there before any stroke"),
    ]
    radius: Annotated[float, Meta(gt=0.0, le=8192.0, description="of the brush, pixels")]
    softness: Annotated[
        Fraction, Meta(description="0 ends at once, 1 fades from the middle on")
    ] = 0.5
    edges: Annotated[bool, Meta(description="ends at outlines of the photo")] = True
    points: Annotated[
        tuple[Coordinate, ...],
        Meta(min_length=2, max_length=8192, description="its path: x and y in turn"),
    ]
