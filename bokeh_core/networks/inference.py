"""Run the default network on a photo of any size: reduce, encode, both mirror images, mean."""

from __future__ import annotations

import functools
import math
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bokeh_core import devices
from bokeh_core.devices import room_on
from bokeh_core.errors import InputError, ModelCorrupt
from bokeh_core.limits import BRIGHTEST, MIN_SIDE, checked_image
from bokeh_core.networks import hub, registry
from bokeh_core.networks.shared import STRIDE, SharedPortraitNet
from bokeh_core.picture.transfer import from_linear

if TYPE_CHECKING:
    from collections.abc import Callable

Float32 = npt.NDArray[np.float32]

ARCHITECTURES: dict[str, type[nn.Module]] = {"shared-lite0": SharedPortraitNet}
"""Architecture named in a weights record -> the network that takes its weights."""

LONGEST = 8
"""Input sizes along the long side: strips beyond 64:1 would have to be thinner than the stride."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the network sees, at its own size; both (h, w) float32 in [0, 1]."""

    matte: Float32
    disparity: Float32


def check_photo(rgb: npt.NDArray[np.float32]) -> Float32:
    """Return `rgb` as float32 if it is a photo the library can work on.

    Raises
    ------
    InputError
        Not (H, W, 3), not float, a side below 16, negative, infinite or NaN values.
    """
    checked = checked_image("rgb", rgb, 3, BRIGHTEST)
    if min(rgb.shape[:2]) < MIN_SIDE:
        raise InputError(
            f"rgb must be at least {MIN_SIDE} pixels wide and high, got {rgb.shape[:2]}"
        )
    return checked


@functools.lru_cache(maxsize=2)
def network(name: str, device: str) -> tuple[nn.Module, registry.ModelRecord]:
    """Load a network once per process and device; `network.cache_clear()` frees it."""
    record = registry.find(name)
    path = registry.WEIGHTS / record.file
    if record.architecture not in ARCHITECTURES:
        raise ModelCorrupt(
            f"{path}: architecture {record.architecture!r} is not known here"
            f"{registry.remedy(record)}"
        )
    model = ARCHITECTURES[record.architecture]()
    try:
        model.load_state_dict(registry.load_tensors(record))
    except RuntimeError as error:
        reason = textwrap.shorten(str(error).splitlines()[-1], 160, placeholder=" ...")
        raise ModelCorrupt(
            f"{path} does not fit {record.architecture} ({reason}){registry.remedy(record)}"
        ) from None
    model = model.eval().to(devices.find(device)).to(memory_format=torch.channels_last)
    return model, record


def predict(
    rgb: Float32,
    *,
    model: str = registry.DEFAULT,
    device: str = "cpu",
    tick: Callable[[], None] = lambda: None,
) -> Prediction:
    """Run matte and disparity in one pass.

    Parameters
    ----------
    rgb : ndarray (H, W, 3)
        Linear light, checked by `check_photo`.
    model
        Name of embedded weights, or of a fetched optional model: a depth model gives the disparity
        and the default network the matte; for a matting model both are the default network's.
    device
        A torch device.
    tick
        Called between the parts of the work, which take up to 0.2 s each; an exception raised in it
        stops the call.

    Raises
    ------
    ModelMissing, ModelCorrupt
        When the weights cannot be used.
    OutOfMemory
        When the device has no room.
    """
    if model not in hub.MODELS:
        return _predict(rgb, model, device, tick)
    optional = hub.find(model)
    if optional.task == "matte":
        return _predict(rgb, registry.DEFAULT, device, tick)
    with room_on(device):
        pixels = network_input(rgb, optional.input_size, optional.multiple)
        disparity = hub.disparity(pixels, optional, device)
    tick()
    return replace(_predict(rgb, registry.DEFAULT, device, tick), disparity=disparity)


def _predict(rgb: Float32, model: str, device: str, tick: Callable[[], None]) -> Prediction:
    """Mean of what the network says about the photo and about its mirror image."""
    with room_on(device), torch.inference_mode():
        net, record = network(model, device)
        pixels = network_input(rgb, record.input_size)
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None].to(device)
    tick()
    seen = _forward(net, image)
    tick()
    mirrored = _forward(net, image.flip(3))
    tick()
    matte, disparity = (
        (plane + other.flip(3)) / 2 for plane, other in zip(seen, mirrored, strict=True)
    )
    return Prediction(_plane(matte), _plane(disparity))


def _forward(net: nn.Module, image: Tensor) -> tuple[Tensor, Tensor]:
    """One picture at a time: a batch of both mirror images takes twice as long on a CPU.

    (Its feature maps pass malloc's limit for memory that is kept, and every page is faulted anew.)
    """
    with room_on(image.device), torch.inference_mode():
        matte, disparity = net(image.contiguous(memory_format=torch.channels_last))
        return torch.sigmoid(matte), torch.sigmoid(disparity)


def _plane(x: Tensor) -> Float32:
    return np.ascontiguousarray(x[0, 0].float().cpu().numpy())


def network_input(rgb: Float32, input_size: int, multiple: int = STRIDE) -> Float32:
    """Bring a photo to about `input_size`^2 pixels, sides multiples of 32, sRGB-encoded, clipped.

    Reduced by area in linear light (as a camera would), so a 100-megapixel photo is never encoded
    whole. Any aspect ratio keeps about the same number of pixels; what is longer than `LONGEST`
    input sizes is squeezed.
    """
    height, width = rgb.shape[:2]
    scale = input_size / math.sqrt(height * width)
    longest = LONGEST * input_size // multiple
    size = [
        min(max(round(side * scale / multiple), 1), longest) * multiple for side in (width, height)
    ]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(rgb, size, interpolation=method)
    return np.asarray(from_linear(np.clip(small, 0, 1), np.float32))


def luma(rgb: Float32, shape: tuple[int, int]) -> Float32:
    """Return the photo as encoded grey in [0, 1] at a small `shape`."""
    method = cv2.INTER_AREA if shape[0] < rgb.shape[0] else cv2.INTER_LINEAR
    small = cv2.resize(rgb, (shape[1], shape[0]), interpolation=method)
    return np.asarray(from_linear(np.clip(small, 0, 1), np.float32).mean(2))
