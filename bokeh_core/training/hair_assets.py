"""Foregrounds with fine alpha to learn hair from: solved for in portraits, and drawn.

No free set of hair mattes exists. Before an even background closed-form matting is nearly exact:
such portraits are found in the training pictures, and their alpha and colours solved for. Strands
that are drawn have an alpha without any error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core import extras
from bokeh_core.errors import ModelMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator

    from bokeh_core.training.items import Labelled

Bytes = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

SIDE = 256
"""Sides of an asset in pixels."""

EVEN = 0.035
"""Largest standard deviation of an even background's colours within 24 pixels of the outline."""

APART = 0.3
"""Least difference between the hair and the background: below it JPEG's blocks become alpha."""

_BAND = 25  # window by which the outline is widened to the band that alpha is solved in
_RING = 49
_FINER = 4  # strands are drawn at so many times the size


@dataclass(frozen=True, eq=False)
class Asset:
    """A foreground.

    Attributes
    ----------
    colours : ndarray (SIDE, SIDE, 3), uint8
        sRGB-encoded, of the foreground alone, also where it is thin.
    alpha : ndarray (SIDE, SIDE), uint8
    """

    colours: Bytes
    alpha: Bytes


def from_portrait(labelled: Labelled) -> Asset | None:
    """Solve for the alpha of a head before an even background; None where there is none.

    Raises
    ------
    ModelMissing
        pymatting is not installed.

    References
    ----------
    Levin, Lischinski, Weiss, "A Closed-Form Solution to Natural Image Matting" (2008); Germer et
    al., "Fast Multi-Level Foreground Estimation" (2020).
    """
    try:
        from pymatting import estimate_alpha_cf, estimate_foreground_ml  # noqa: PLC0415
    except ImportError:
        raise ModelMissing(
            f"training for hair needs pymatting: {extras.how_to_get('matting')}"
        ) from None
    place = _head(labelled)
    if place is None or labelled.mask is None:
        return None
    rgb, mask = labelled.rgb[place] / 255.0, labelled.mask[place] > 127
    band = _widened(mask, _BAND) & _widened(~mask, _BAND)
    around = _widened(mask, _RING) & ~_widened(mask, _BAND)
    inner = mask & ~band & _widened(~mask, _RING)
    if min(around.sum(), inner.sum()) < SIDE or rgb[around].std(0).max() > EVEN:
        return None
    if np.abs(np.median(rgb[inner], 0) - np.median(rgb[around], 0)).max() < APART:
        return None
    trimap = np.where(band, 0.5, mask.astype(np.float64))
    alpha = np.clip(estimate_alpha_cf(rgb, trimap), 0, 1)
    alpha = np.clip((alpha - 0.03) / 0.94, 0, 1)  # what is left of an even background is noise
    colours = estimate_foreground_ml(rgb, alpha)
    return Asset(_codes(colours), _codes(alpha))


def _head(labelled: Labelled) -> tuple[slice, slice] | None:
    """Cut out a square around the top of the subject; None when there is too little of it."""
    if labelled.mask is None or min(labelled.mask.shape) < SIDE:
        return None
    rows, columns = np.nonzero(labelled.mask > 127)
    if rows.size < SIDE * SIDE // 8:
        return None
    top = int(rows.min())
    middle = int(np.median(columns[rows < top + SIDE // 3]))
    height, width = labelled.mask.shape
    y = min(max(top - SIDE // 6, 0), height - SIDE)
    x = min(max(middle - SIDE // 2, 0), width - SIDE)
    return slice(y, y + SIDE), slice(x, x + SIDE)


def _widened(mask: npt.NDArray[np.bool_], window: int) -> npt.NDArray[np.bool_]:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((window, window), np.uint8)) > 0)


def drawn(skin: Bytes, dice: Generator) -> Asset:
    """Draw a head or a flank with strands: long hair, curls, fur or a few fly-aways.

    Parameters
    ----------
    skin : ndarray (h, w, 3), uint8
        A picture that lends its colours.
    """
    side = SIDE * _FINER
    alpha = np.zeros((side, side), np.uint8)
    shade = np.full((side, side), 128, np.uint8)
    outline = _outline(side, dice)
    cv2.fillPoly(alpha, [outline], 255)
    kind = dice.choice(["hair", "curls", "fur", "few"])
    count = {"hair": 600, "curls": 400, "fur": 2500, "few": 60}[str(kind)]
    longest = {"hair": 0.4, "curls": 0.25, "fur": 0.07, "few": 0.4}[str(kind)] * side
    thick = np.exp(dice.uniform(np.log(0.25), np.log(1.6))) * _FINER
    lean = dice.normal(0, 0.6)
    for strand in _strands(outline, count, longest, lean, str(kind), dice):
        width = max(round(thick * dice.uniform(0.5, 1.4)), 1)
        tone = int(np.clip(128 + 25 * dice.normal(), 50, 220))
        cv2.polylines(alpha, [strand], isClosed=False, color=255, thickness=width)
        cv2.polylines(shade, [strand], isClosed=False, color=tone, thickness=width + _FINER)
    small = cv2.resize(alpha, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    if dice.random() < 0.3:  # out of focus
        small = cv2.GaussianBlur(small, (0, 0), dice.uniform(0.5, 2.5))
    tones = cv2.resize(shade, (SIDE, SIDE), interpolation=cv2.INTER_AREA)[..., None] / 128.0
    base = cv2.GaussianBlur(skin, (0, 0), dice.uniform(2, 20))
    colours = cv2.resize(base, (SIDE, SIDE)) / 255.0 * tones
    return Asset(_codes(colours), np.asarray(small, np.uint8))


def _outline(side: int, dice: Generator) -> npt.NDArray[np.int32]:
    """Return a smooth closed curve of random shape that leaves room around it."""
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    radius = np.full(200, dice.uniform(0.16, 0.36))
    for wave in range(1, 6):
        radius += 0.06 / wave * dice.normal() * np.cos(wave * turn + dice.uniform(0, 2 * np.pi))
    x, y = dice.uniform(0.3, 0.7, 2)
    radius = np.clip(radius, 0.05, 0.5)
    points = np.stack((x + radius * np.cos(turn), y + radius * np.sin(turn)), 1)
    return np.asarray(np.round(points * side), np.int32)


def _strands(
    outline: npt.NDArray[np.int32],
    count: int,
    longest: float,
    lean: float,
    kind: str,
    dice: Generator,
) -> Iterator[npt.NDArray[np.int32]]:
    """Yield bent lines that start at the outline and go outwards, in locks of their own lean."""
    normals = np.roll(outline, 1, 0) - np.roll(outline, -1, 0)
    angles = np.arctan2(-normals[:, 0], normals[:, 1]).astype(np.float64)
    locks = cv2.GaussianBlur(dice.normal(0, 3.0, (1, 200)), (0, 0), 4)[0]
    s = np.linspace(0, 1, 24)
    for _ in range(count):
        at = int(dice.integers(200))
        angle = angles[at] + lean + locks[at] + 0.25 * dice.normal()
        length = longest * dice.uniform(0.3, 1.0)
        heading = angle + dice.normal(0, 0.6) * s
        if kind == "curls":
            heading = heading + dice.uniform(1, 2.5) * np.sin(dice.uniform(4, 12) * s)
        steps = np.stack((np.cos(heading), np.sin(heading)), 1) * length / len(s)
        start = outline[at] - 0.1 * longest * np.array([np.cos(angle), np.sin(angle)])
        yield np.asarray(np.round(start + np.cumsum(steps, 0)), np.int32)


def _codes(plane: npt.NDArray[Any]) -> Bytes:
    return np.asarray(np.round(np.clip(plane, 0, 1) * 255), np.uint8)
