"""The ways of blurring that the benchmark compares."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from bokeh_core.binned_gaussian import BinnedGaussian
from bokeh_core.lens import Lens
from bokeh_core.picture import from_linear
from bokeh_core.rendering import render, render_tiles
from bokeh_core.rendering.aperture_blur.radii import FULL, BlurRadii
from bokeh_core.rendering.aperture_blur.scatter import Blur

if TYPE_CHECKING:
    from bokeh_core.evaluation.thin_lens import Inputs
    from bokeh_core.rendering.tiles import Place

FloatImage = npt.NDArray[np.float32]
Method = Callable[["Inputs", Lens], FloatImage]
FIVE_KERNELS = (15, 75, 135, 195, 255)
"""Sizes of the paper's five full-resolution Gaussians at 12 megapixels: the yardstick of speed."""


def identity(inputs: Inputs, lens: Lens) -> FloatImage:  # noqa: ARG001
    """Do nothing: what any method must beat."""
    return inputs.rgb


def paper(inputs: Inputs, lens: Lens) -> FloatImage:
    """Render the paper's bins, with Gaussians as wide as the lens's discs (sigma = radius / 2)."""
    look = BinnedGaussian(strength=0.5 * lens.max_coc)
    return render(inputs.rgb, depth=inputs.depth, matte=inputs.matte, lens=look)


def plain_disc(inputs: Inputs, lens: Lens) -> FloatImage:
    """Scatter the picture as one surface in linear light; paste a subject in focus softly."""
    radii = BlurRadii.up_to(lens.max_coc, FULL)
    margin = int(lens.max_coc) // 8 * 8 + 16
    height, width = inputs.depth.shape
    pad = [(margin, margin + -height % 16), (margin, margin + -width % 16)]
    rgb = np.pad(inputs.rgb, [*pad, (0, 0)], mode="symmetric").transpose(2, 0, 1)
    coc = lens.coc(np.pad(inputs.depth, pad, mode="symmetric"))[None]
    planes = torch.from_numpy(np.concatenate((rgb, np.ones_like(coc))))
    blur = Blur(lens, radii, torch.device("cpu"))
    out = blur(planes, torch.from_numpy(coc), torch.ones_like(planes[3:]))
    out = (out[:3] / out[3:].clamp(min=1e-3)).numpy().transpose(1, 2, 0)
    out = out[margin : margin + height, margin : margin + width]
    subject = lens.coc(inputs.depth)[inputs.matte > 0.5]
    if subject.size and np.abs(np.median(subject)) < 1.0:
        alpha = inputs.matte[..., None]
        out = alpha * inputs.rgb + (1.0 - alpha) * out
    return np.ascontiguousarray(out)


def ours(inputs: Inputs, lens: Lens) -> FloatImage:
    """`render` with the lens."""
    return render(inputs.rgb, depth=inputs.depth, matte=inputs.matte, lens=lens)


def ours_by_tiles(inputs: Inputs, lens: Lens) -> npt.NDArray[np.uint8]:
    """`render_tiles`, every tile encoded to 8 bits at once, as the daemon does."""
    out = np.empty(inputs.rgb.shape, np.uint8)

    def put(place: Place, pixels: FloatImage) -> None:
        out[place] = from_linear(pixels, out.dtype)

    render_tiles(put, inputs.rgb, depth=inputs.depth, matte=inputs.matte, lens=lens)
    return out


def five_gaussians(inputs: Inputs, lens: Lens) -> FloatImage:  # noqa: ARG001
    """Only the five Gaussians of the paper's way, by OpenCV: the yardstick of speed."""
    out = inputs.rgb
    for size in FIVE_KERNELS:
        out = np.asarray(cv2.GaussianBlur(inputs.rgb, (size, size), 0), np.float32)
    return out


METHODS: dict[str, Method] = {
    "identity": identity,
    "paper": paper,
    "plain disc": plain_disc,
    "ours": ours,
}
TIMED: dict[str, Callable[[Inputs, Lens], npt.NDArray[Any]]] = {
    "paper": paper,
    "plain disc": plain_disc,
    "ours": ours,
    "ours by tiles": ours_by_tiles,
}
