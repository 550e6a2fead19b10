"""The paper's whole algorithm on one photo (docs/references.md), with everything between.

photo -> edges -> network -> border step -> depth -> bins -> blurred stack -> background -> bokeh
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import torch

from bokeh_core import upsampling
from bokeh_core.borders import border_steps
from bokeh_core.networks import inference
from bokeh_core.networks.inference import check_photo, network_input
from bokeh_core.networks.shared import sobel_magnitude
from bokeh_core.picture import from_linear
from bokeh_core.rendering import render
from bokeh_core.rendering.binned import bins_of, stretched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bokeh_core.binned_gaussian import BinnedGaussian
    from bokeh_core.devices import Device
    from bokeh_core.progress import Progress

Float32 = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

FIGURE = ("edges", "matte", "mask", "border", "border-edges", "smooth")
"""What the paper's figure of the border step shows."""

ACROSS = 8
"""Pictures in a row of a sheet."""


@dataclass(frozen=True, eq=False)
class Step:
    """One picture on the way: (h, w) or (h, w, 3) uint8, as it is looked at (sRGB)."""

    name: str
    pixels: Bytes


def walk(
    rgb: Float32,
    look: BinnedGaussian,
    *,
    matte_model: str,
    depth_model: str,
    device: Device = None,
    progress: Progress,
) -> list[Step]:
    """Go the paper's way from a photo to its bokeh.

    Parameters
    ----------
    rgb : ndarray (H, W, 3)
        Linear light.
    look
        Bins and Gaussians.
    matte_model, depth_model
        Names of weights; those of the paper's family, or the default network.
    device
        Where to compute; None: the best there is.
    progress
        Called as `progress("paper", fraction)`.

    Raises
    ------
    InputError, ModelMissing, ModelCorrupt, OutOfMemory
        As `portrait_matte` and `render`.
    """
    rgb = check_photo(rgb)
    shape = (rgb.shape[0], rgb.shape[1])
    coarse = inference.predict(rgb, model=matte_model, device=device, closer=False).matte
    progress("paper", 0.2)
    disparity = inference.predict(rgb, model=depth_model, device=device, closer=False).disparity
    progress("paper", 0.4)
    border = border_steps(coarse, inference.luma(rgb, coarse.shape))
    depth, matte = (_enlarged(plane, shape) for plane in (disparity, border.smooth))
    steps = [Step("photo", _shown(rgb)), Step("edges", _edges(rgb, coarse.shape))]
    between = {
        "matte": coarse,
        "mask": border.mask,
        "border": border.border,
        "border-edges": border.edges,
        "smooth": border.smooth,
        "depth": depth,
        "bins": _bins(depth, look),
    }
    steps += [Step(name, _grey(plane)) for name, plane in between.items()]
    for index, sigma in enumerate(look.sigmas()):
        one = replace(look, bins=1, strength=sigma, curve=0.0, taps=look.taps * (4 * index + 1))
        blurred = render(rgb, depth=depth, lens=one, device=device)
        steps.append(Step(f"blur-{index + 1}", _shown(blurred)))
        progress("paper", 0.4 + 0.4 * (index + 1) / look.bins)
    background = render(rgb, depth=depth, lens=look, device=device)
    composite = render(rgb, depth=depth, matte=matte, lens=look, device=device)
    progress("paper", 1.0)
    return [*steps, Step("background", _shown(background)), Step("composite", _shown(composite))]


def sheet(steps: Sequence[Step], height: int = 240) -> Bytes:
    """Put pictures of one shape side by side with their names, RGB, in rows of up to `ACROSS`."""
    columns = [_captioned(step, height) for step in steps]
    rows = [np.hstack(columns[at : at + ACROSS]) for at in range(0, len(columns), ACROSS)]
    width = max(row.shape[1] for row in rows)  # maps of the network have proportions of their own
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
    return np.asarray(np.vstack(padded), np.uint8)


def _captioned(step: Step, height: int) -> Bytes:
    pixels = step.pixels if step.pixels.ndim == 3 else np.dstack([step.pixels] * 3)
    width = round(height * pixels.shape[1] / pixels.shape[0])
    shrinks = height < pixels.shape[0]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
    column = cv2.resize(pixels, (width, height), interpolation=method)
    strip = np.zeros((22, width, 3), np.uint8)
    cv2.putText(strip, step.name, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (230,) * 3, 1)
    return np.asarray(np.vstack((strip, column)), np.uint8)


def _bins(depth: Float32, look: BinnedGaussian) -> Float32:
    """Show the bins as greys, the nearest white."""
    plane = torch.from_numpy(depth)
    found = bins_of(plane, look, stretched(plane) if look.stretch_depth else (0.0, 1.0))
    return np.asarray(1 - found.numpy() / max(look.bins - 1, 1), np.float32)


def _edges(rgb: Float32, shape: tuple[int, ...]) -> Bytes:
    """Show the fourth channel of the networks that have it."""
    pixels = network_input(rgb, round((shape[0] * shape[1]) ** 0.5))
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    return _grey(sobel_magnitude(image)[0, 0].numpy())


def _enlarged(plane: Float32, shape: tuple[int, int]) -> Float32:
    large = upsampling.enlarged(plane, shape, lambda _: None)
    return np.asarray(np.clip(large, 0, 1), np.float32)


def _shown(rgb: Float32) -> Bytes:
    return from_linear(np.clip(rgb, 0, 1), np.uint8)


def _grey(plane: Float32) -> Bytes:
    return np.asarray((np.clip(plane, 0, 1) * 255).round(), np.uint8)
