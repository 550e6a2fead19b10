"""Samples to learn hair from: a foreground before another photo, and the matte a network gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core import upsampling
from bokeh_core.networks import strands
from bokeh_core.picture.transfer import from_linear, to_linear

if TYPE_CHECKING:
    from numpy.random import Generator

    from bokeh_core.training.hair_assets import Asset

Bytes = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

Sample = tuple[Float32, Float32, Float32, Float32]
"""What `strands.planes` gives, alpha (h, w), and the band (h, w) that counts."""

CROP = 128
"""Sides of a sample in pixels."""


def sample(asset: Asset, behind: Bytes, dice: Generator) -> Sample:
    """Compose one sample.

    Parameters
    ----------
    asset
        The foreground.
    behind : ndarray (h, w, 3), uint8
        A photo that becomes the background.
    """
    colours, alpha = _turned(asset, dice)
    side = round(CROP * dice.uniform(0.7, 1.6))
    y, x = _on_the_outline(alpha, side, dice)
    place = slice(y, y + side), slice(x, x + side)
    size = (CROP, CROP)
    method = cv2.INTER_AREA if side > CROP else cv2.INTER_LINEAR
    front = cv2.resize(colours[place], size, interpolation=method) / np.float32(255)
    cover = cv2.resize(alpha[place], size, interpolation=method) / np.float32(255)
    photo = composed(front, cover, _background(behind, dice), dice)
    coarse = coarsened(cover, dice)
    sharp, smooth = seen_by_network(upsampling.guide(to_linear(photo)), coarse)
    return sharp, smooth, cover, strands.band_of(coarse)


def seen_by_network(colours: Float32, coarse: Float32) -> tuple[Float32, Float32]:
    """Return `strands.planes` of a small picture, as whole."""
    size = (coarse.shape[1], coarse.shape[0])
    small = (size[0] // strands.SMALLER, size[1] // strands.SMALLER)
    found = strands.sides_of(upsampling.resized(colours, small), upsampling.resized(coarse, small))
    sides = strands.Sides(
        upsampling.resized(found.subject, size), upsampling.resized(found.background, size)
    )
    return strands.planes(colours, coarse, sides)


def composed(front: Float32, cover: Float32, behind: Float32, dice: Generator) -> Float32:
    """Put a foreground before a background (sRGB-encoded, all (h, w, ...)) as a camera would."""
    front = np.clip((front * dice.uniform(0.8, 1.15, 3)) ** dice.uniform(0.7, 1.4), 0, 1)
    share = cover[..., None]
    light = to_linear(front.astype(np.float32)) * share + to_linear(behind) * (1 - share)
    encoded = from_linear(light, np.float32)
    noise = dice.uniform(0, 0.015) * dice.standard_normal(encoded.shape)
    return np.asarray(np.clip(encoded + noise, 0, 1), np.float32)


def coarsened(cover: Float32, dice: Generator) -> Float32:
    """Make of alpha (h, w) the matte that a network would give: small, smooth, without strands."""
    height, width = cover.shape
    factor = np.exp(dice.uniform(np.log(1.5), np.log(4.5)))
    small = (max(round(width / factor), 8), max(round(height / factor), 8))
    coarse = cv2.resize(cover, small, interpolation=cv2.INTER_AREA)
    if dice.random() < 0.45:
        coarse = cv2.GaussianBlur(coarse, (0, 0), dice.uniform(0.4, 2.0))
    if dice.random() < 0.4:  # a network decides: what is thin is lost, what is dense becomes solid
        slope, middle = dice.uniform(2, 8), dice.uniform(0.3, 0.65)
        low, high = (1 / (1 + np.exp(-slope * (end - middle))) for end in (0.0, 1.0))
        coarse = (1 / (1 + np.exp(-slope * (coarse - middle))) - low) / (high - low)
    large = cv2.resize(coarse.astype(np.float32), (width, height))
    return np.asarray(np.clip(large, 0, 1), np.float32)


def _turned(asset: Asset, dice: Generator) -> tuple[Bytes, Bytes]:
    quarters, mirrored = int(dice.integers(4)), bool(dice.integers(2))
    planes = (np.rot90(plane, quarters) for plane in (asset.colours, asset.alpha))
    colours, alpha = (plane[:, ::-1] if mirrored else plane for plane in planes)
    return np.ascontiguousarray(colours), np.ascontiguousarray(alpha)


def _on_the_outline(alpha: Bytes, side: int, dice: Generator) -> tuple[int, int]:
    """Choose a square that has some of the outline near its middle."""
    rows, columns = np.nonzero((alpha > 12) & (alpha < 243))
    at = int(dice.integers(rows.size)) if rows.size else 0
    middle = (rows[at], columns[at]) if rows.size else (alpha.shape[0] // 2,) * 2
    y, x = (
        int(np.clip(place - side * dice.uniform(0.3, 0.7), 0, whole - side))
        for place, whole in zip(middle, alpha.shape, strict=True)
    )
    return y, x


def _background(behind: Bytes, dice: Generator) -> Float32:
    """Cut a square out of a photo, sharp or out of focus."""
    height, width = behind.shape[:2]
    side = int(min(height, width, CROP * dice.uniform(0.6, 2.0)))
    y, x = int(dice.integers(height - side + 1)), int(dice.integers(width - side + 1))
    square = cv2.resize(behind[y : y + side, x : x + side], (CROP, CROP)) / np.float32(255)
    if dice.random() < 0.4:
        square = cv2.GaussianBlur(square, (0, 0), dice.uniform(0.5, 6))
    tint = dice.uniform(0.5, 1.2) * dice.uniform(0.9, 1.1, 3)
    return np.asarray(np.clip(square * tint, 0, 1), np.float32)
