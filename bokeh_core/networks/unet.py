"""The paper's U-Net family, every variant of its two tables from one description."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokeh_core import extras
from bokeh_core.errors import InputError, ModelMissing
from bokeh_core.networks import imagenet
from bokeh_core.networks.shared import sobel_magnitude

Encoder = Literal["plain", "densenet121"]
Upsampling = Literal["bilinear", "nearest", "transposed", "pixelshuffle"]

_DENSENET_SKIPS = (11, 9, 7, 5, 3, 0)
"""Indices into the list [picture, output of feature layer 1, 2, ...] of DenseNet-121."""


@dataclass(frozen=True)
class UNetConfig:
    """One variant of the family."""

    encoder: Encoder = "densenet121"
    """"plain": double convolutions and max-pooling; "densenet121": six skips, wide kernels."""
    batch_norm: bool = False
    """After each convolution of the decoder, but its last stage, and of the plain encoder."""
    upsampling: Upsampling = "bilinear"
    sobel: bool = False
    """Edge strength as a fourth channel of the picture, joined in the last decoder stage."""
    width: int = 64
    """Channels of the plain encoder's first level; doubled at each of four further levels."""
    pretrained: bool = False
    """ImageNet weights for DenseNet-121 (downloaded by torchvision)."""
    skips: bool = True
    """Hand the encoder's maps to the decoder; without, it sees the coarsest map (and the edges)."""


@dataclass(frozen=True)
class Step:
    """One decoder stage: channels from below, channels of the skip, channels out, kernel."""

    below: int
    skip: int
    out: int
    kernel: int


class Decoder(nn.Module):
    """Enlarge twofold, concatenate the skip, convolve, (batch norm), ReLU; from coarse to fine."""

    def __init__(self, steps: tuple[Step, ...], config: UNetConfig) -> None:
        super().__init__()
        self.enlarge = nn.ModuleList(_enlarger(step.below, config.upsampling) for step in steps)
        self.mix = nn.ModuleList(
            nn.Conv2d(step.below + step.skip, step.out, step.kernel, padding=step.kernel // 2)
            for step in steps
        )
        norms = [nn.BatchNorm2d(step.out) if config.batch_norm else nn.Identity() for step in steps]
        self.norm = nn.ModuleList(norms[:-1])  # the last stage gives the logits

    def forward(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        """Return the logits (B, 1, H, W); `skips` coarse to fine."""
        last = len(skips) - 1
        for index, skip in enumerate(skips):
            x = self.enlarge[index](x)
            if x.shape[-2:] != skip.shape[-2:]:
                x = F.interpolate(x, skip.shape[-2:], mode="nearest")
            x = self.mix[index](torch.cat((x, skip), 1))
            if index < last:
                x = F.relu(self.norm[index](x), inplace=True)
        return x


class PlainEncoder(nn.Module):
    """Ronneberger et al. 2015: two 3x3 convolutions per level, max-pooling between levels."""

    def __init__(self, width: int, *, batch_norm: bool) -> None:
        super().__init__()
        self.widths = tuple(width * 2**level for level in range(5))
        self.levels = nn.ModuleList(
            _double(inputs, outputs, batch_norm=batch_norm)
            for inputs, outputs in zip((3, *self.widths), self.widths, strict=False)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the feature maps at strides 1, 2, 4, 8, 16."""
        found = []
        for index, level in enumerate(self.levels):
            x = level(F.max_pool2d(x, 2) if index else x)
            found.append(x)
        return found


class DenseEncoder(nn.Module):
    """DenseNet-121's feature layers; hands out the six maps that the paper names."""

    def __init__(self, *, pretrained: bool) -> None:
        super().__init__()
        self.layers = _densenet_features(pretrained=pretrained)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the picture and the maps at strides 2, 4, 8, 16, 32."""
        found = [x]
        for layer in self.layers[: max(_DENSENET_SKIPS)]:
            found.append(layer(found[-1]))
        return [found[index] for index in reversed(_DENSENET_SKIPS)]


class UNet(nn.Module):
    """A variant of the family; `forward` takes (B, 3, H, W) in [0, 1], sRGB-encoded.

    Parameters
    ----------
    config
        Which variant.
    mean, std
        Of red, green and blue; the encoder sees `(rgb - mean) / std`.
    """

    def __init__(
        self,
        config: UNetConfig,
        *,
        mean: tuple[float, ...] = imagenet.MEAN,
        std: tuple[float, ...] = imagenet.STD,
    ) -> None:
        super().__init__()
        self.config = config
        extra = 1 if config.sobel else 0
        if config.encoder == "densenet121":
            self.encoder: nn.Module = DenseEncoder(pretrained=config.pretrained)
            # 2048->512, 1024->256, 512->128, 192->16, 16 + picture -> 1, as published
            steps: tuple[Step, ...] = (
                Step(1024, 1024, 512, 3),
                Step(512, 512, 256, 5),
                Step(256, 256, 128, 5),
                Step(128, 64, 16, 7),
                Step(16, 3 + extra, 1, 9),
            )
        elif config.encoder == "plain":
            plain = PlainEncoder(config.width, batch_norm=config.batch_norm)
            self.encoder = plain
            w = plain.widths
            steps = (
                Step(w[4], w[3], w[3], 3),
                Step(w[3], w[2], w[2], 3),
                Step(w[2], w[1], w[1], 3),
                Step(w[1], w[0] + extra, 1, 3),
            )
        else:
            raise InputError(f"encoder must be plain or densenet121, got {config.encoder!r}")
        if not config.skips:
            last = replace(steps[-1], skip=extra)
            steps = (*(replace(step, skip=0) for step in steps[:-1]), last)
        self.decoder = Decoder(steps, config)
        if config.encoder == "plain":
            _he_initialised(self.decoder)
            _he_initialised(self.encoder)
        self.mean: Tensor
        self.std: Tensor
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, rgb: Tensor) -> Tensor:
        """Return logits (B, 1, H, W); H and W multiples of 32."""
        maps = self.encoder((rgb - self.mean) / self.std)
        if not self.config.skips:  # their sizes are still what the decoder enlarges to
            maps[:-1] = [kept[:, :0] for kept in maps[:-1]]
        if self.config.sobel:
            maps[0] = torch.cat((maps[0], sobel_magnitude(rgb)), 1)
        logits: Tensor = self.decoder(maps[-1], maps[-2::-1])
        return logits


def _he_initialised(part: nn.Module) -> None:
    """Draw weights that keep the spread of the activations through ReLUs (He et al. 2015).

    PyTorch's own make it shrink by a factor of 2.4 per layer: without batch norm the logits then
    hardly depend on the picture, and L1 settles on "subject everywhere". Behind DenseNet it is the
    other way round: its features are wide, He's weights saturate the sigmoid from the start.
    """
    for module in part.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _double(inputs: int, outputs: int, *, batch_norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        layers.append(nn.Conv2d(width, outputs, 3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(outputs))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def _enlarger(width: int, kind: Upsampling) -> nn.Module:
    if kind in ("bilinear", "nearest"):
        flat = None if kind == "nearest" else False
        return nn.Upsample(scale_factor=2, mode=kind, align_corners=flat)
    if kind == "transposed":
        return nn.ConvTranspose2d(width, width, 2, stride=2)
    if kind == "pixelshuffle":
        return nn.Sequential(nn.Conv2d(width, 4 * width, 1), nn.PixelShuffle(2))
    raise InputError(f"upsampling must be bilinear, nearest, transposed or pixelshuffle: {kind!r}")


def _densenet_features(*, pretrained: bool) -> nn.Sequential:
    try:
        from torchvision.models import DenseNet121_Weights, densenet121  # noqa: PLC0415
    except ImportError:
        raise ModelMissing(
            f"DenseNet-121 comes from torchvision: {extras.how_to_get('train')}"
        ) from None
    try:
        weights = DenseNet121_Weights.IMAGENET1K_V1 if pretrained else None
        features: nn.Sequential = densenet121(weights=weights).features
    except OSError as error:  # URLError and HTTPError are OSErrors
        raise ModelMissing(
            f"DenseNet-121's ImageNet weights cannot be downloaded here ({error}): go online, put "
            "densenet121-a639ec97.pth into torch's hub/checkpoints folder, or train without "
            "--pretrained from random weights"
        ) from None
    return features
