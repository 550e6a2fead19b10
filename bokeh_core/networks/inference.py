"""Run a network on a photo of any size: reduce, encode, both mirror images, mean."""

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
from bokeh_core.networks import hub, imagenet, records, registry, second_look
from bokeh_core.networks.shared import STRIDE, SharedPortraitNet, fill
from bokeh_core.networks.unet import UNet
from bokeh_core.picture.transfer import from_linear

if TYPE_CHECKING:
    from collections.abc import Callable

    from bokeh_core.devices import Device
    from bokeh_core.networks.records import ModelRecord

Float32 = npt.NDArray[np.float32]

SMALLER = 0.75
"""Of the input size: in a smaller look people who fill the picture are whole more often.

Of 150 everyday photos held out .12 were missed in one look and .09 with both; the disparity and
people far away lose, so neither gets it.
"""

LONGEST = 8
"""Input sizes along the long side: strips beyond 64:1 would have to be thinner than the stride."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the network sees, at its own sizes; each (h, w) float32 in [0, 1]."""

    matte: Float32
    """People."""
    disparity: Float32
    """A quarter of the network's input wide and high."""
    animals: Float32
    """Of the matte's size, which is finer where the network looked closer."""


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


def network(name: str, device: torch.device) -> tuple[nn.Module, ModelRecord]:
    """Load a network once per process and device, anew when there are other weights of its name.

    Raises
    ------
    ModelMissing, ModelCorrupt
        The weights cannot be used.
    """
    record = registry.find(name)
    return loaded(record, device), record


@functools.lru_cache(maxsize=3)
def loaded(record: ModelRecord, device: torch.device) -> nn.Module:
    """Build and fill the network of a record; `loaded.cache_clear()` frees it."""
    path = registry.WEIGHTS / record.file
    if record.architecture not in BUILDERS:
        raise ModelCorrupt(
            f"{path}: architecture {record.architecture!r} is not known here"
            f"{registry.remedy(record)}"
        )
    model = BUILDERS[record.architecture](record)
    try:
        fill(model, registry.load_tensors(record), getattr(model, "IDENTITIES", ()))
    except RuntimeError as error:
        reason = textwrap.shorten(str(error).splitlines()[-1], 160, placeholder=" ...")
        raise ModelCorrupt(
            f"{path} does not fit {record.architecture} ({reason}){registry.remedy(record)}"
        ) from None
    return model.eval().to(device).to(memory_format=torch.channels_last)


def _of_family(record: ModelRecord) -> UNet:
    if record.variant is None:
        raise ModelCorrupt(f"{record.file}: does not say which network of the family it is of")
    try:
        return UNet(
            replace(record.variant, pretrained=False),
            mean=record.mean or imagenet.MEAN,
            std=record.std or imagenet.STD,
        )
    except InputError as error:  # a word that this version does not know
        raise ModelCorrupt(f"{record.file}: {error}") from None


BUILDERS: dict[str, Callable[[ModelRecord], nn.Module]] = {
    records.SHARED: lambda _: SharedPortraitNet(),
    records.FAMILY: _of_family,
}
"""Architecture named in a weights record -> the network that takes its weights."""


def predict(
    rgb: Float32,
    *,
    model: str = registry.DEFAULT,
    device: Device = None,
    tick: Callable[[], None] = lambda: None,
    closer: bool = True,
) -> Prediction:
    """Run matte and disparity; people who are small get a closer look, others a smaller one too.

    Parameters
    ----------
    rgb : ndarray (H, W, 3)
        Linear light, checked by `check_photo`.
    model
        Name of weights, or of a fetched optional model. A depth model gives the disparity and the
        default network the matte; a matte of the U-Net family comes with the default network's
        disparity; for a matting model both are the default network's.
    device
        Where to compute: the name of a torch device; None: the best there is.
    tick
        Called between the parts of the work, which take up to 0.2 s each; an exception raised in it
        stops the call.
    closer
        Look again: closer where somebody is small (`second_look`), else at the photo made smaller.

    Raises
    ------
    ModelMissing, ModelCorrupt
        When the weights cannot be used.
    OutOfMemory
        When the device has no room.
    """
    device = devices.find(device)
    disparity = None
    if model in hub.MODELS:
        optional = hub.find(model)
        model = registry.DEFAULT
        if optional.task == "depth":
            with room_on(device):
                pixels = network_input(rgb, optional.input_size, optional.multiple)
                disparity = hub.disparity(pixels, optional, device)
            tick()
    elif (record := registry.find(model)).architecture == records.FAMILY:
        model = registry.DEFAULT
        plane = _of_family_seen(rgb, record, device)
        tick()
        if "portrait" in record.tasks:  # without closer looks: it was trained for the whole
            seen = _first_look(rgb, model, device, tick)
            return Prediction(plane, seen.disparity, np.zeros_like(plane))
        disparity = plane
    seen = _first_look(rgb, model, device, tick)
    if closer:
        if not second_look.is_of_small_people(seen.matte):
            seen = _with_smaller_look(rgb, seen, model, device, tick)
        people, animals = second_look.again(
            rgb, seen.matte, seen.animals, lambda part: _people(part, model, device, tick)
        )
        seen = replace(seen, matte=people, animals=animals)
    return seen if disparity is None else replace(seen, disparity=disparity)


def _of_family_seen(rgb: Float32, record: ModelRecord, device: torch.device) -> Float32:
    """Return the plane that a network of the U-Net family sees, in one pass, as it was trained."""
    with room_on(device), torch.inference_mode():
        pixels = torch.from_numpy(network_input(rgb, record.input_size)).permute(2, 0, 1)[None]
        logits = loaded(record, device)(pixels.to(device))
        return _plane(torch.sigmoid(logits))


def _first_look(
    rgb: Float32, model: str, device: torch.device, tick: Callable[[], None]
) -> Prediction:
    """Mean of what the network says about the photo and about its mirror image."""
    mattes, disparity = _both_ways(rgb, model, device, tick)
    return Prediction(_plane(mattes[:, :1]), _plane(disparity), _plane(mattes[:, 1:]))


def _with_smaller_look(
    rgb: Float32, seen: Prediction, model: str, device: torch.device, tick: Callable[[], None]
) -> Prediction:
    """Mean of the first look's mattes and those of a look at the photo made smaller."""
    mattes, _ = _both_ways(rgb, model, device, tick, SMALLER)
    size = (seen.matte.shape[1], seen.matte.shape[0])
    people, animals = (
        np.asarray((first + cv2.resize(_plane(mattes[:, index : index + 1]), size)) / 2, np.float32)
        for index, first in enumerate((seen.matte, seen.animals))
    )
    return replace(seen, matte=people, animals=animals)


def _both_ways(
    rgb: Float32, model: str, device: torch.device, tick: Callable[[], None], scale: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Run the network on the photo and on its mirror image; the means of mattes and disparity."""
    net, image = _prepared(rgb, model, device, scale)
    tick()
    seen = _forward(net, image)
    tick()
    mirrored = _forward(net, image.flip(3))
    tick()
    mattes, disparity = ((a + b.flip(3)) / 2 for a, b in zip(seen, mirrored, strict=True))
    return mattes, disparity


def _people(part: Float32, model: str, device: torch.device, tick: Callable[[], None]) -> Float32:
    mattes, _ = _forward(*_prepared(part, model, device))
    tick()
    return _plane(mattes[:, :1])


def _prepared(
    rgb: Float32, model: str, device: torch.device, scale: float = 1.0
) -> tuple[nn.Module, Tensor]:
    """Load the network and bring a photo to what it takes, (1, 3, h, w)."""
    with room_on(device), torch.inference_mode():
        net, record = network(model, device)
        pixels = network_input(rgb, round(scale * record.input_size))
        return net, torch.from_numpy(pixels).permute(2, 0, 1)[None].to(device)


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
