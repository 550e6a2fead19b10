"""EfficientNet-Lite0 as an encoder: five feature maps at strides 2, 4, 8, 16 and 32.

Tan and Le, "EfficientNet" (2019), in the "Lite" variant without squeeze-and-excitation and with
ReLU6. Batch norm is kept as a fixed scale and bias per channel that multiply the *weights*, not
the activations: fine-tuning then needs no pass over the feature maps for normalisation (a third
of the training time on a CPU).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Stage:
    """A run of inverted residual blocks of one width."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    width: int
    later: int = 0
    """Blocks after those of ImageNet's weights; they begin as the identity."""


STEM_WIDTH = 32
LITE0 = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112, later=2),
    Stage(4, 5, 2, 6, 192, later=2),
    Stage(1, 3, 1, 6, 320),
)
"""The stages of EfficientNet-Lite0 (width and depth multiplier 1), two of them deepened."""

LATER = tuple(
    f"stages.{index}.{stage.repeats + block}."
    for index, stage in enumerate(LITE0)
    for block in range(stage.later)
)
"""Names of the blocks that ImageNet's weights do not have."""

TAPS = {0: 2, 1: 4, 2: 8, 4: 16, 6: 32}
"""Stage index -> stride of the feature map it hands to the decoders."""

WIDTHS = tuple(LITE0[index].width for index in TAPS)
"""Channels of the feature maps, finest first."""


class ScaledConv(nn.Module):
    """A convolution with a learnt scale and bias per channel: a batch norm of fixed statistics."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.stride = stride
        self.groups = groups
        self.padding = kernel // 2
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, kernel, kernel))
        self.scale = nn.Parameter(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, C, H, W)."""
        weight = self.weight * self.scale[:, None, None, None]
        if self.groups == 1 or x.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
            return self._convolve(x, weight)
        # On a CPU a convolution per channel goes backwards three times as slowly in bf16 as in fp32
        # (torch 2.14): a training step takes a third longer (docs/decisions/0011).
        with torch.autocast("cpu", enabled=False):
            return self._convolve(x.float(), weight)

    def _convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        return F.conv2d(x, weight, self.bias, self.stride, self.padding, 1, self.groups)


class InvertedResidual(nn.Module):
    """Expand (1x1), filter per channel (kxk), project (1x1); adds its input where shapes allow."""

    def __init__(self, inputs: int, stage: Stage, stride: int) -> None:
        super().__init__()
        hidden = inputs * stage.expand
        self.expand = ScaledConv(inputs, hidden, 1) if stage.expand > 1 else None
        self.filter = ScaledConv(hidden, hidden, stage.kernel, stride=stride, groups=hidden)
        self.project = ScaledConv(hidden, stage.width, 1)
        self.residual = stride == 1 and inputs == stage.width

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, width, H / stride, W / stride)."""
        y: Tensor = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        y = F.relu6(self.filter(y), inplace=True)
        y = self.project(y)
        return x + y if self.residual else y


class EfficientNetLite(nn.Module):
    """The encoder; `forward` takes (B, 3, H, W) in [-1, 1], H and W multiples of 32."""

    def __init__(self, stages: tuple[Stage, ...] = LITE0) -> None:
        super().__init__()
        self.stem = ScaledConv(3, STEM_WIDTH, 3, stride=2)
        self.stages = nn.ModuleList()
        width = STEM_WIDTH
        for stage in stages:
            blocks = []
            for index in range(stage.repeats + stage.later):
                blocks.append(InvertedResidual(width, stage, stage.stride if index == 0 else 1))
                width = stage.width
            for block in blocks[stage.repeats :]:
                nn.init.zeros_(block.project.scale)
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the feature maps at strides 2, 4, 8, 16, 32, in that order."""
        x = F.relu6(self.stem(x), inplace=True)
        taps = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in TAPS:
                taps.append(x)
        return tuple(taps)
