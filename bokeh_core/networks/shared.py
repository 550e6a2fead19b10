"""The default network: one encoder, a matte decoder and a disparity decoder, one forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokeh_core.networks.efficientnet_lite import LATER, WIDTHS, EfficientNetLite

if TYPE_CHECKING:
    from collections.abc import Mapping

STRIDE = 32
"""Height and width of the input are multiples of this."""

_CONTEXT = 128
_DETAIL = 16  # (rgb + edges) of each 2x2 block
_NONE = -6.0  # as a logit: .0025


class Fuse(nn.Module):
    """One decoder step: bring `coarse` to the size of `fine`, concatenate, convolve."""

    def __init__(self, coarse: int, fine: int, outputs: int, *, reduce: int | None = None) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(coarse, reduce, 1) if reduce else None
        self.mix = nn.Conv2d((reduce or coarse) + fine, outputs, 3, padding=1)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Return (B, outputs, H, W) at the size of `fine`."""
        if self.reduce is not None:
            coarse = self.reduce(coarse)
        coarse = F.interpolate(coarse, size=fine.shape[-2:], mode="bilinear", align_corners=False)
        return F.relu(self.mix(torch.cat((coarse, fine), 1)), inplace=True)


class Residual(nn.Module):
    """Two 3x3 convolutions whose sum with the input begins as the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = _zero(nn.Conv2d(width, width, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the shape of `x`, (B, width, H, W)."""
        more: Tensor = self.second(F.relu(self.first(x), inplace=True))
        return x + more


class Attention(nn.Module):
    """One transformer block over all positions (Dosovitskiy et al. 2020); begins as the identity.

    Unlike there, one mean and one spread normalise all positions together. A 3x3 convolution per
    channel tells positions apart (Chu et al. 2021), so any size works.
    """

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.position = _zero(nn.Conv2d(width, width, 3, padding=1, groups=width))
        self.norm = nn.GroupNorm(1, width)
        self.query_key_value = nn.Conv2d(width, 3 * width, 1)
        self.join = _zero(nn.Conv2d(width, width, 1))
        self.norm_inner = nn.GroupNorm(1, width)
        self.widen = nn.Conv2d(width, 2 * width, 1)
        self.narrow = _zero(nn.Conv2d(2 * width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the shape of `x`, (B, width, H, W)."""
        x = x + self.position(x)
        parts = self.query_key_value(self.norm(x)).flatten(2)
        query, key, value = parts.unflatten(1, (3, self.heads, -1)).transpose(-1, -2).unbind(1)
        seen = F.scaled_dot_product_attention(query, key, value)
        x = x + self.join(seen.transpose(-1, -2).reshape(x.shape))
        more: Tensor = self.narrow(F.relu(self.widen(self.norm_inner(x)), inplace=True))
        return x + more


def _zero(layer: nn.Conv2d, bias: float = 0.0) -> nn.Conv2d:
    """Let a layer add nothing at first: trained weights of before it was there stay as good."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.constant_(layer.bias, bias)
    return layer


class MatteDecoder(nn.Module):
    """Stride 32 to full resolution; the picture and its Sobel edges join in the last stage.

    People and animals share all but the last layer: where one is, the other is not.
    """

    def __init__(self) -> None:
        super().__init__()
        s2, s4, s8, s16, _ = WIDTHS
        self.fuse16 = Fuse(_CONTEXT, s16, 80)
        self.deepen16 = Residual(80)
        self.fuse8 = Fuse(80, s8, 56)
        self.deepen8 = Residual(56)
        self.fuse4 = Fuse(56, s4, 40)
        self.refine4 = nn.Conv2d(40, 40, 3, padding=1)
        self.deepen4 = Residual(40)
        self.fuse2 = Fuse(40, s2 + _DETAIL, 24, reduce=24)
        self.refine2 = nn.Conv2d(24, 24, 3, padding=1)
        self.deepen2 = Residual(24)
        self.head = nn.Conv2d(24, 4, 1)
        self.animals = _zero(nn.Conv2d(24, 4, 1), bias=_NONE)

    def forward(
        self, context: Tensor, features: tuple[Tensor, ...], detail: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the logits of people and animals (B, 2, H, W) and the features at stride 4."""
        s2, s4, s8, s16, _ = features
        x = self.deepen16(self.fuse16(context, s16))
        x = self.fuse4(self.deepen8(self.fuse8(x, s8)), s4)
        quarter = self.deepen4(F.relu(self.refine4(x) + x))
        x = self.fuse2(quarter, torch.cat((s2, detail), 1))
        x = self.deepen2(F.relu(self.refine2(x) + x))
        return F.pixel_shuffle(torch.cat((self.head(x), self.animals(x)), 1), 2), quarter


class DisparityDecoder(nn.Module):
    """Stride 32 to stride 4; it sees the matte's features, so the silhouette lands in one place."""

    def __init__(self) -> None:
        super().__init__()
        _, s4, s8, s16, _ = WIDTHS
        self.fuse16 = Fuse(_CONTEXT, s16, 64)
        self.deepen16 = Residual(64)
        self.fuse8 = Fuse(64, s8, 48)
        self.deepen8 = Residual(48)
        self.fuse4 = Fuse(48, s4 + 40, 32)
        self.deepen4 = Residual(32)
        self.head = nn.Conv2d(32, 1, 3, padding=1)

    def forward(self, context: Tensor, features: tuple[Tensor, ...], quarter: Tensor) -> Tensor:
        """Return disparity before the sigmoid, (B, 1, H/4, W/4)."""
        _, s4, s8, s16, _ = features
        x = self.deepen8(self.fuse8(self.deepen16(self.fuse16(context, s16)), s8))
        x = self.deepen4(self.fuse4(x, torch.cat((s4, quarter), 1)))
        logits: Tensor = self.head(x)
        return logits


class SharedPortraitNet(nn.Module):
    """Matte logits and disparity logits of a picture in one pass."""

    IDENTITIES = (
        *(f"encoder.{name}" for name in LATER),
        "mixing.",
        *(f"matte.deepen{stride}." for stride in (16, 8, 4, 2)),
        "matte.animals.",
        *(f"disparity.deepen{stride}." for stride in (16, 8, 4)),
    )
    """Prefixes of the parts that add nothing, and see no animal, until they are trained."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = EfficientNetLite()
        self.local = nn.Conv2d(WIDTHS[-1], _CONTEXT, 1)
        self.overall = nn.Conv2d(WIDTHS[-1], _CONTEXT, 1)
        self.mixing = nn.Sequential(*(Attention(_CONTEXT) for _ in range(4)))
        self.matte = MatteDecoder()
        self.disparity = DisparityDecoder()

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """Run both tasks.

        Parameters
        ----------
        rgb : Tensor (B, 3, H, W)
            sRGB-encoded in [0, 1]; H and W multiples of 32.

        Returns
        -------
        matte : Tensor (B, 2, H, W)
            Logits of "person" and of "animal".
        disparity : Tensor (B, 1, H/4, W/4)
            Logits; a sigmoid gives relative disparity, 1 = nearest.
        """
        features = self.encoder(rgb * 2 - 1)
        deepest = features[-1]
        context = self.local(deepest) + self.overall(deepest.mean((2, 3), keepdim=True))
        context = self.mixing(F.relu(context, inplace=True))
        detail = F.pixel_unshuffle(torch.cat((rgb, sobel_magnitude(rgb)), 1), 2)
        detail = detail.contiguous(memory_format=torch.channels_last)
        matte, quarter = self.matte(context, features, detail)
        return matte, self.disparity(context, features, quarter)


def sobel_magnitude(rgb: Tensor) -> Tensor:
    """Edge strength of the luma: (B, 3, H, W) in [0, 1] -> (B, 1, H, W), about [0, 1]."""
    luma = rgb.mean(1, keepdim=True)
    padded = F.pad(luma, (1, 1, 1, 1), mode="replicate")
    smooth_y = padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]
    smooth_x = padded[:, :, :, :-2] + 2 * padded[:, :, :, 1:-1] + padded[:, :, :, 2:]
    across = smooth_y[:, :, :, 2:] - smooth_y[:, :, :, :-2]
    down = smooth_x[:, :, 2:] - smooth_x[:, :, :-2]
    return torch.sqrt(across * across + down * down + 1e-8) / 4


def fill(network: nn.Module, tensors: Mapping[str, Tensor], later: tuple[str, ...]) -> None:
    """Load weights; parts whose names begin with one of `later` may be absent from them.

    Raises
    ------
    RuntimeError
        Anything else is missing, unknown or of another shape.
    """
    begun = {key: own for key, own in network.state_dict().items() if key.startswith(later)}
    network.load_state_dict({**begun, **tensors})
