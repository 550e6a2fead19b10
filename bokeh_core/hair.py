"""Fine alpha in the band where the matte is unsure: solved for, or by an optional network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core import extras, upsampling
from bokeh_core.devices import room_on
from bokeh_core.errors import ModelMissing
from bokeh_core.networks import hub, inference

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from bokeh_core.networks.hub import HubModel
    from bokeh_core.progress import Progress

Float32 = npt.NDArray[np.float32]

SOLVE_SIDE = 720
"""Long side at which alpha is solved for: 5 s on 2 cores; the time grows faster than the pixels."""

BAND = 9
"""Window in pixels (at the solving size) by which the unsure band is widened."""

NETWORK_BAND = 17
"""The same for a matting network: it finds strands farther out than a local solver can."""


@dataclass(frozen=True, eq=False)
class Band:
    """What is known and what is asked for, at the solving size."""

    trimap: Float32
    """(h, w): 0 background, 1 subject, 0.5 to be found."""

    @property
    def unsure(self) -> npt.NDArray[np.bool_]:
        """Where alpha is to be found."""
        return np.asarray(self.trimap == np.float32(0.5))

    @property
    def is_open(self) -> bool:
        """Whether there is something to find and something known of both sides."""
        kinds = (self.unsure, self.trimap == 0, self.trimap == 1)
        return all(bool(kind.any()) for kind in kinds)


def band_of(small: Float32, window: int) -> Band:
    """Make the trimap of a matte (h, w): its soft pixels, widened by a `window` in pixels."""
    kernel = np.ones((window, window), np.uint8)
    soft = cv2.dilate(((small > 0.03) & (small < 0.97)).astype(np.uint8), kernel) > 0
    return Band(np.where(soft, 0.5, small > 0.5).astype(np.float32))


def closed_form(rgb: Float32, matte: Float32, progress: Progress) -> Float32:
    """Solve for alpha around the outline and bring it back to full size along the photo's edges.

    Parameters
    ----------
    rgb : ndarray (H, W, 3)
        Linear light.
    matte : ndarray (H, W)
        A good matte already; its sure parts stay as they are.

    Raises
    ------
    ModelMissing
        pymatting is not installed.

    References
    ----------
    Levin, Lischinski, Weiss, "A Closed-Form Solution to Natural Image Matting" (2008).
    """
    try:
        from pymatting import estimate_alpha_cf  # noqa: PLC0415
    except ImportError:
        raise ModelMissing(
            f"refine='matting' needs pymatting: {extras.how_to_get('matting')}"
        ) from None
    size = upsampling.size_within((matte.shape[0], matte.shape[1]), SOLVE_SIDE)
    colours = upsampling.guide(upsampling.resized(rgb, size))
    band = band_of(upsampling.resized(matte, size), BAND)

    def solve() -> Float32:
        alpha = estimate_alpha_cf(colours.astype(np.float64), band.trimap.astype(np.float64))
        return np.asarray(alpha, np.float32)

    return _refined(rgb, matte, colours, band, solve, progress)


def by_network(
    rgb: Float32, matte: Float32, model: HubModel, device: torch.device, progress: Progress
) -> Float32:
    """Let a matting network find alpha around the outline; parameters as of `closed_form`.

    Raises
    ------
    ModelMissing, ModelCorrupt
        The model was not fetched, or is not what it should be.
    OutOfMemory
        The device has no room.

    References
    ----------
    Yao et al., "ViTMatte: Boosting Image Matting with Pretrained Plain Vision Transformers" (2023).
    """
    pixels = inference.network_input(rgb, model.input_size, model.multiple)
    size = (pixels.shape[1], pixels.shape[0])
    band = band_of(upsampling.resized(matte, size), NETWORK_BAND)
    colours = upsampling.guide(upsampling.resized(rgb, size))

    def solve() -> Float32:
        with room_on(device):
            return hub.alpha(pixels, band.trimap, model, device)

    return _refined(rgb, matte, colours, band, solve, progress)


def _refined(
    rgb: Float32,
    matte: Float32,
    colours: Float32,
    band: Band,
    solve: Callable[[], Float32],
    progress: Progress,
) -> Float32:
    """Put what `solve` finds in the band into the full-size matte, along the photo's edges."""
    if not band.is_open:
        progress("matte", 1.0)
        return matte
    progress("matte", 0.1)
    solved = np.where(band.unsure, solve(), band.trimap).astype(np.float32)
    progress("matte", 0.8)
    model = upsampling.fit(colours, solved, np.ones_like(solved), 2, 1e-4)
    inside = np.asarray(cv2.blur(band.unsure.astype(np.float32), (3, 3)), np.float32)
    shape = (rgb.shape[0], rgb.shape[1])

    def strip(part: slice) -> Float32:
        share = upsampling.rows_of(inside, shape, part)
        mixed = matte[part] + share * (upsampling.applied(model, rgb, part) - matte[part])
        return np.asarray(np.clip(mixed, 0, 1), np.float32)

    return upsampling.by_strips(shape, strip, lambda f: progress("matte", 0.8 + 0.2 * f))
