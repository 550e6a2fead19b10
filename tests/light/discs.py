"""Draws what a point of light becomes with each look: `python -m tests.light.discs`.

An editor's Python cannot import the renderer: the pictures come with the light client.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from bokeh_core.lens import Lens
from bokeh_core.presets import LOOKS
from bokeh_core.rendering.aperture_blur.kernel import aperture_kernel
from daemon.light.discs import DISCS, SIDE
from daemon.light.parameters import BLADES

RADIUS = 9.0
FIELD = (0.5, -0.4)
"""Where in the frame: towards a corner, where cat's eyes show."""


def lenses() -> dict[str, Lens]:
    """Give the lens of every look, and of every shape of the aperture."""
    shapes = {name: Lens(blades=blades) for name, blades in BLADES.items()}
    return shapes | {name: look.lens(RADIUS) for name, look in LOOKS.items()}


def drawn() -> dict[str, npt.NDArray[np.uint8]]:
    """Give each picture, light on black: (SIDE, SIDE) uint8, gamma-encoded light."""
    made = {}
    for name, lens in lenses().items():
        light = aperture_kernel(lens, RADIUS, field=FIELD)
        made[name] = _grey(light)
    steps = torch.arange(SIDE, dtype=torch.float32) - (SIDE - 1) / 2
    bell = torch.exp(-0.5 * (steps / (RADIUS / 2)) ** 2)  # the disc's variance
    made["paper"] = _grey(bell[:, None] * bell)
    return made


def _grey(light: torch.Tensor) -> npt.NDArray[np.uint8]:
    level = (light / light.max()).numpy() ** (1 / 2.2)
    rows, columns = ((SIDE - size) // 2 for size in level.shape)
    whole = np.zeros((SIDE, SIDE), np.float32)
    top, left = max(rows, 0), max(columns, 0)
    cut = level[max(-rows, 0) :, max(-columns, 0) :][:SIDE, :SIDE]
    whole[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
    return np.round(255 * whole).astype(np.uint8)


if __name__ == "__main__":
    DISCS.mkdir(exist_ok=True)
    for name, picture in drawn().items():
        Image.fromarray(picture).save(DISCS / f"{name}.png", optimize=True)
