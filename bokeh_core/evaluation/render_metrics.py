"""How far a rendering is from the truth, as a viewer sees it: on display values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import torch

from bokeh_core.rendering.display import encode

if TYPE_CHECKING:
    from bokeh_core.evaluation.thin_lens import Inputs, Scene
    from bokeh_core.lens import Lens

FloatImage = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
EDGE_BAND, HALO_BAND = 24, 16
"""Widths in pixels at a picture width of 720: around depth edges, and outside the subject."""


@dataclass(frozen=True)
class Regions:
    """Where each figure is taken."""

    blurred: Mask
    edges: Mask
    hair: Mask
    halo: Mask
    ground: Mask

    @classmethod
    def of(cls, scene: Scene, inputs: Inputs, lens: Lens) -> Regions:
        """Find out-of-focus parts, depth edges, the hair band, the rim outside and the plane."""
        unit = inputs.depth.shape[1] / 720
        coc = np.abs(lens.coc(inputs.depth))
        step = np.zeros(inputs.depth.shape, np.uint8)
        step[:, 1:] |= np.abs(np.diff(inputs.depth, axis=1)) * lens.max_coc > 3
        step[1:] |= np.abs(np.diff(inputs.depth, axis=0)) * lens.max_coc > 3
        mixed = (inputs.matte > 0.02) & (inputs.matte < 0.98)
        solid = inputs.matte > 0.02
        ground = np.zeros_like(solid)
        margin = scene.margin
        for layer in scene.layers:
            covers = layer.alpha[margin:-margin, margin:-margin] > 0.5
            ground = (ground & ~covers) | (covers & (layer.slope != 0.0))
        return cls(
            blurred=coc > 1.0,
            edges=_widened(step, EDGE_BAND * unit),
            hair=_widened(mixed.astype(np.uint8), 2 * unit),
            halo=_widened(solid.astype(np.uint8), HALO_BAND * unit) & ~solid,
            ground=_inner(ground, coc) & ~_widened(step, EDGE_BAND * unit),
        )


@dataclass(frozen=True)
class Scores:
    """PSNR in dB, biases in 1/255 of display range, energy as relative error."""

    whole: float
    blurred: float
    edges: float
    hair: float
    halo: float
    banding: float
    energy: float


def score(result: FloatImage, truth: FloatImage, regions: Regions) -> Scores:
    """Compare a rendering with the thin-lens truth; both (H, W, 3) linear light."""
    error = display(result) - display(truth)
    return Scores(
        whole=_psnr(error, np.ones_like(regions.edges)),
        blurred=_psnr(error, regions.blurred),
        edges=_psnr(error, regions.edges),
        hair=_psnr(error, regions.hair),
        halo=_mean(error, regions.halo),
        banding=_banding(error, regions.ground),
        energy=float(result.sum(dtype=np.float64) / truth.sum(dtype=np.float64) - 1.0),
    )


def display(linear: FloatImage) -> FloatImage:
    """Encode for the screen, sRGB, clipped to [0, 1]."""
    encoded: FloatImage = encode(torch.from_numpy(np.ascontiguousarray(linear))).clamp(0, 1).numpy()
    return encoded


def psnr(a: FloatImage, b: FloatImage) -> float:
    """PSNR in dB of two linear-light pictures on display values."""
    error = display(a) - display(b)
    return _psnr(error, np.ones(error.shape[:2], bool))


def _psnr(error: FloatImage, where: Mask) -> float:
    if not where.any():
        return math.nan
    power = float(np.mean(np.square(error[where], dtype=np.float64)))
    return math.inf if power == 0 else -10.0 * math.log10(power)


def _mean(error: FloatImage, where: Mask) -> float:
    return 255.0 * float(error[where].mean(dtype=np.float64)) if where.any() else math.nan


def _banding(error: FloatImage, ground: Mask) -> float:
    """Measure steps across a slanted plane: rms change of the mean error from row to row, /255.

    The plane's depth is constant along a row, so the row mean removes texture and keeps bands.
    """
    count = ground.sum(axis=1)
    rows = count > ground.shape[1] // 8
    grey = np.where(ground, error.mean(axis=2), 0.0).sum(axis=1, dtype=np.float64)
    profile = grey / np.maximum(count, 1)
    steps = np.diff(profile)[rows[1:] & rows[:-1]]
    return 255.0 * float(np.sqrt(np.mean(steps**2))) if steps.size else math.nan


def _inner(plane: Mask, coc: FloatImage) -> Mask:
    """Part of the plane that only the plane itself is blurred into.

    Past the frame's border and the plane's ends nobody knows what is there; errors from there
    hid the steps inside (.02 and .009 on the couple, .10 and .19 with them).
    """
    if not plane.any():
        return plane
    margin = math.ceil(float(coc[plane].max())) + 1
    outside = np.pad(~plane, margin, constant_values=True)
    inner = ~_widened(outside.astype(np.uint8), margin)
    return inner[margin:-margin, margin:-margin]


def _widened(mask: npt.NDArray[np.uint8], radius: float) -> Mask:
    size = 2 * max(1, round(radius)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return cv2.dilate(mask, kernel) > 0
