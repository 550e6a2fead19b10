"""A map as it lies in the file, and what its codes stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from bokeh_core.picture.transfer import Float32

FARTHEST_M = 1000.0
"""Distances beyond are as good as infinite: their disparity is under 0.001 per metre."""
_FLAT = 1e-3


@dataclass(frozen=True, eq=False)
class Disparity:
    """Nearness: 1 is the nearest, 0 the farthest.

    Attributes
    ----------
    values
        (h, w) in [0, 1], linear in 1 / distance.
    dioptres
        What 0 and 1 stand for, in 1 / metre; None where the file does not say.
    """

    values: Float32
    dioptres: tuple[float, float] | None = None

    @property
    def is_flat(self) -> bool:
        """Whether there is no depth in it."""
        return float(self.values.max() - self.values.min()) < _FLAT

    def stretched(self) -> Disparity:
        """Let the values take the whole range."""
        low, high = float(self.values.min()), float(self.values.max())
        values = np.asarray((self.values - low) / max(high - low, 1e-6), np.float32)
        if self.dioptres is None:
            return Disparity(values)
        first, span = self.dioptres[0], self.dioptres[1] - self.dioptres[0]
        return Disparity(values, (first + low * span, first + high * span))


@dataclass(frozen=True, eq=False)
class Found:
    """What a file holds beside the photo.

    Attributes
    ----------
    disparity
        In the orientation of `turn`.
    matte
        (h, w) in [0, 1], 1 = the person; None where the file has none.
    kind
        Where it came from, for the note.
    """

    disparity: Disparity | None = None
    matte: Float32 | None = None
    kind: str = ""


def unit(codes: npt.NDArray[Any]) -> Float32:
    """Return grey codes, the first channel where there are several, as 0 to 1."""
    plane = codes[..., 0] if codes.ndim == 3 else codes
    if plane.dtype.kind == "u":
        return np.asarray(plane / np.float32(np.iinfo(plane.dtype).max), np.float32)
    return np.asarray(plane, np.float32)


def from_disparity(codes: Float32, low: float | None, high: float | None) -> Disparity:
    """Codes that grow with 1 / distance from `low` to `high` dioptres."""
    known = low is not None and high is not None and 0 <= low < high
    return Disparity(codes, (low, high) if known else None)  # type: ignore[arg-type]


def from_inverse(codes: Float32, near: float | None, far: float | None) -> Disparity:
    """Codes that fall evenly with 1 / distance: 0 = near, 1 = far (GDepth's RangeInverse)."""
    known = near is not None and far is not None and 0 < near < far
    dioptres = (1 / far, 1 / near) if known else None  # type: ignore[operator]
    return Disparity(1 - codes, dioptres)


def from_distance(codes: Float32, near: float | None, far: float | None) -> Disparity:
    """Codes that grow evenly with the distance from `near` to `far` metres (RangeLinear)."""
    if near is None or far is None or not 0 <= near < far:
        return Disparity(1 - codes)
    nearest = max(near, far / 1000)  # distance 0 has no disparity
    distance = np.clip(near + codes * (far - near), nearest, FARTHEST_M)
    low, high = 1 / min(far, FARTHEST_M), 1 / nearest
    values = (1 / distance - low) / (high - low)
    return Disparity(np.asarray(values.clip(0, 1), np.float32), (low, high))
