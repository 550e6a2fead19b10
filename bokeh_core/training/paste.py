"""People cut out of other pictures and put into a view: in front, beside, far away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from bokeh_core.training.samples import Bytes
    from bokeh_core.training.views import View

_SMALLEST = 6  # pixels of height; less is nobody to be seen


@dataclass(frozen=True, eq=False)
class CutOut:
    """A person with the photo around: `rgb` (h, w, 3) and soft `cover` (h, w), uint8."""

    rgb: Bytes
    cover: Bytes
    cropped: bool
    """Whether the photo's lower edge cuts the person off."""


def cut_out(photo: Bytes, matte: Bytes) -> CutOut | None:
    """Cut the bounding box of the subject out; None when there is none."""
    rows = np.flatnonzero((matte > 127).any(1))
    columns = np.flatnonzero((matte > 127).any(0))
    if len(rows) < 2 * _SMALLEST or len(columns) < _SMALLEST:
        return None
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return CutOut(photo[part], matte[part], bool(rows[-1] >= len(matte) - 3))


def put(
    rng: np.random.Generator, found: View, person: CutOut, share: float, *, behind: bool = False
) -> View:
    """Put a person of `share` of the view's height anywhere into it.

    Nobody knows how far pasted people stand, so the view's depth is no longer known. What is
    unknown about the view stays so, and as it is. `behind`: those who are there cover the new one.
    """
    tall, wide = found.mask.shape
    height = max(round(share * tall), _SMALLEST)
    width = max(round(person.cover.shape[1] * height / person.cover.shape[0]), 2)
    rgb, cover = _sized(rng, person, height, width)
    left = round(rng.uniform(-0.3 * width, max(wide - 0.7 * width, -0.3 * width)))
    top = round(rng.uniform(-0.1 * height, max(tall - 0.9 * height, 0)))
    if person.cropped and rng.random() < 0.5:
        top = tall - height  # where a photo would cut him off
    whole = np.zeros((tall, wide), np.uint8)
    canvas = found.rgb.copy()
    rows = slice(max(top, 0), min(top + height, tall))
    columns = slice(max(left, 0), min(left + width, wide))
    inner = (
        slice(rows.start - top, rows.stop - top),
        slice(columns.start - left, columns.stop - left),
    )
    whole[rows, columns] = cover[inner]
    canvas[rows, columns] = rgb[inner]
    if behind:
        free = (found.known > 0) & (found.animals < 128)
        whole = np.asarray(whole * (255 - found.mask.astype(np.float32)) / 255 * free, np.uint8)
    alpha = whole[..., None].astype(np.float32) / 255
    mixed = (canvas * alpha + found.rgb * (1 - alpha)).round().astype(np.uint8)
    return replace(
        found,
        rgb=mixed,
        mask=np.maximum(found.mask, whole),
        animals=np.minimum(found.animals, 255 - whole),
        known=np.maximum(found.known, np.where(whole > 200, 255, 0).astype(np.uint8)),
        has_depth=False,
    )


def _sized(
    rng: np.random.Generator, person: CutOut, height: int, width: int
) -> tuple[Bytes, Bytes]:
    """Bring a cut-out to a size, mirrored or not, in a light of its own, a little out of focus."""
    method = cv2.INTER_AREA if height < len(person.cover) else cv2.INTER_LINEAR
    rgb, cover = (
        cv2.resize(plane, (width, height), interpolation=method)
        for plane in (person.rgb, person.cover)
    )
    if rng.random() < 0.5:
        rgb, cover = rgb[:, ::-1], cover[:, ::-1]
    light = np.exp(rng.normal(0, 0.2)) * np.exp(rng.normal(0, 0.04, 3))
    rgb = np.clip(rgb * light, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        rgb = cv2.GaussianBlur(rgb, (0, 0), float(rng.uniform(0.3, 0.9)))
    return np.asarray(rgb, np.uint8), np.asarray(cover, np.uint8)
