"""What the steps of a request hand on, and what of it is remembered."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np

from bokeh_core.networks.inference import Prediction
from bokeh_core.picture import PhoneMaps
from bokeh_core.strokes import Stroke, painted
from daemon.wire.planes import DTYPES, ResultPlane
from daemon.worker import pixels
from daemon.worker.engine_api import Outcome
from daemon.worker.pixels import Codes, Float32, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bokeh_core import rendering
    from daemon.wire import strokes as wire_strokes
    from daemon.wire.planes import Output

MANY, FLAT = 0.02, 1 / 255
"""Share of the picture that says something about it, and a depth that says nothing."""


@dataclass(frozen=True, eq=False)
class Maps:
    """Matte and disparity, (H, W) float32 in [0, 1], and notes on the subject.

    `found` is everybody whom the networks found, where somebody decided on another matte; `before`
    what these maps were before any stroke of a brush; `of_file` are notes on the file's own maps.
    """

    matte: Float32
    depth: Float32
    notes: tuple[str, ...] = ()
    found: Float32 | None = None
    before: Maps | None = None
    of_file: tuple[str, ...] = ()

    def stroked(self, light: Float32, strokes: Sequence[wire_strokes.Stroke], scale: float) -> Maps:
        """Return the maps after some more strokes of the full-size picture, at their own scale."""
        first = self.before or self
        planes: dict[str, Float32] = {"matte": self.matte, "depth": self.depth}
        unpainted = {"matte": first.matte, "depth": first.depth}
        for each in strokes:
            name = each.plane
            points = tuple(zip(each.points[::2], each.points[1::2], strict=True))
            fields = {**msgspec.structs.asdict(each), "points": points}
            stroke = Stroke(**fields).scaled(scale)
            planes[name] = painted(planes[name], unpainted[name], light, stroke)
        found = first.matte if self.found is None else self.found
        matte, depth = planes["matte"], planes["depth"]
        return dataclasses.replace(self, matte=matte, depth=depth, found=found, before=first)


@dataclass(frozen=True, eq=False)
class RenderInput:
    """All that the renderer reads, at the size of the result."""

    source: Source
    light: Float32
    maps: Maps


@dataclass(frozen=True, eq=False)
class Cut:
    """A picture made ready to be rendered, for quick changes of the lens."""

    surfaces: rendering.Prepared
    bytes_per_pixel: int

    @property
    def nbytes(self) -> int:
        """Memory that it may grow to."""
        return self.bytes_per_pixel * self.surfaces.depth.size


def doubts(matte: Float32, depth: Float32) -> tuple[str, ...]:
    """Say so when a given depth has the subject behind nearly all that is around it."""
    subject, around = (
        depth[::4, ::4][side] for side in (matte[::4, ::4] > 0.5, matte[::4, ::4] < 0.5)
    )
    if min(subject.size, around.size) < MANY * (subject.size + around.size):
        return ()
    if float(depth.max() - depth.min()) < FLAT or np.median(subject) >= np.percentile(around, 15):
        return ()
    return ("the depth given has the subject farther away than what is around it: is black near?",)


Value: TypeAlias = Codes | Prediction | Maps | PhoneMaps | RenderInput | Cut | Outcome


def nbytes(value: Value) -> int:
    """Return the memory that a cached value takes."""
    if isinstance(value, Prediction):
        return value.matte.nbytes + value.disparity.nbytes + value.animals.nbytes
    if isinstance(value, Maps):
        found = 0 if value.found is None else value.found.nbytes
        return value.matte.nbytes + value.depth.nbytes + found
    if isinstance(value, PhoneMaps):
        return sum(plane.nbytes for plane in (value.depth, value.matte) if plane is not None)
    if isinstance(value, RenderInput):
        return value.light.nbytes + value.source.codes.nbytes + nbytes(value.maps)
    if isinstance(value, Outcome):
        return sum(plane.nbytes for plane in value.pixels)
    return int(value.nbytes)


def reduced(source: Source, light: Float32, maps: Maps, scale: float) -> RenderInput:
    """Return all that the renderer reads at a smaller size."""
    height, width = (max(1, round(side * scale)) for side in light.shape[:2])
    small, small_light = source.reduced(light, width, height)
    shrunk = dataclasses.replace(
        maps,
        matte=pixels.shrink(maps.matte, width, height),
        depth=pixels.shrink(maps.depth, width, height),
        found=None if maps.found is None else pixels.shrink(maps.found, width, height),
    )
    return RenderInput(small, small_light, shrunk)


def declare(name: Output, codes: Codes, source: Source, digest: str | None) -> ResultPlane:
    """Say what the codes of a result are."""
    composite = name == "composite"
    return ResultPlane(
        name=name,
        width=codes.shape[1],
        height=codes.shape[0],
        channels=codes.shape[2] if composite else 1,
        dtype=DTYPES[codes.dtype.str],
        transfer=source.plane.transfer if composite else "linear",
        digest=digest,
    )
