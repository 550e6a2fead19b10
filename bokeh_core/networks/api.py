"""The networks themselves, for programs that want more of them than mattes and depths."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch

from bokeh_core import devices
from bokeh_core.networks import inference, registry, weights_file

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bokeh_core.devices import Device
    from bokeh_core.networks.inference import Float32
    from bokeh_core.networks.records import ModelRecord


def load(
    model: str | Path,
    *,
    task: Literal["portrait", "depth"] = "portrait",
    device: Device = None,
) -> tuple[nn.Module, ModelRecord]:
    """Build a network and fill it with its weights, ready to be run.

    The shared network gives logits of people and animals (B, 2, h, w) and of disparity (B, 1, h/4,
    w/4); one of the U-Net family logits (B, 1, h, w). It is kept: do not train it, a deep copy may.

    Parameters
    ----------
    model
        Name of shipped or own weights (`defocus models list`), or a `.safetensors` file.
    task
        What a file of the U-Net family is for that does not say so itself.
    device
        Name of a torch device; None: the best there is.

    Raises
    ------
    ModelMissing, ModelCorrupt
        The weights cannot be used.
    InputError
        The device cannot be used.
    """
    if str(model).endswith(weights_file.SUFFIX):
        model = registry.open_file(Path(model), task).name
    return inference.network(str(model), devices.find(device))


def prepare(rgb: Float32, record: ModelRecord) -> Tensor:
    """Bring a photo to what a network takes.

    Parameters
    ----------
    rgb : ndarray (H, W, 3), float32
        Linear light, sRGB primaries.
    record
        Of the network, from `load`: it tells how large its input is.

    Returns
    -------
    Tensor (1, 3, h, w), float32
        sRGB-encoded in [0, 1], sides multiples of 32.

    Raises
    ------
    InputError
        `rgb` is no photo that the library can work on.
    """
    pixels = inference.network_input(inference.check_photo(rgb), record.input_size)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()
