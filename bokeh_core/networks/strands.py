"""The network for hair: finds alpha in the soft outline of a matte, from the photo's own pixels."""

from __future__ import annotations

import functools
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokeh_core import upsampling
from bokeh_core.errors import ModelCorrupt
from bokeh_core.networks import registry

if TYPE_CHECKING:
    from bokeh_core.networks.records import ModelRecord

Float32 = npt.NDArray[np.float32]

ARCHITECTURE = "strands"
STRIDE = 8
"""Height and width of the input are multiples of this."""

SMALLER = 4
"""The sides' colours are found at a fourth of the size: they are smooth."""

_SHARP = 5  # planes at full resolution: colour, matte, projection
_SMOOTH = 6  # planes at half of it: the colours of both sides


BAND = 0.02
"""A coarse matte this far from 0 and 1 is unsure."""

REACH = 15
"""Window in pixels by which the unsure band is widened: what is refined, and what is learnt."""


class StrandNet(nn.Module):
    """A U-Net of 87 thousand weights whose finest level works on 2 x 2 blocks of pixels.

    It says how far to go from the coarse matte to what the pixel's own colour says, and what to
    add.
    """

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv2d(4 * _SHARP + _SMOOTH, 16, 3, padding=1)
        self.fine = nn.Conv2d(16, 16, 3, padding=1)
        self.down4 = nn.Conv2d(16, 32, 3, padding=1, stride=2)
        self.middle4 = nn.Conv2d(32, 32, 3, padding=1)
        self.down8 = nn.Conv2d(32, 48, 3, padding=1, stride=2)
        self.middle8 = nn.Conv2d(48, 48, 3, padding=1)
        self.up4 = nn.Conv2d(48 + 32, 32, 3, padding=1)
        self.up2 = nn.Conv2d(32 + 16, 16, 3, padding=1)
        self.leave = nn.Conv2d(16, 8, 3, padding=1)

    def forward(self, sharp: Tensor, smooth: Tensor) -> Tensor:
        """Find alpha.

        Parameters
        ----------
        sharp : Tensor (B, 5, H, W)
            Colour, coarse matte and projection, see `planes`.
        smooth : Tensor (B, 6, H/2, W/2)
            The colours of subject and background, extended over each other.

        Returns
        -------
        Tensor (B, 1, H, W)
            Alpha, unclipped.
        """
        fine = F.relu(self.enter(torch.cat((F.pixel_unshuffle(sharp, 2), smooth), 1)))
        fine = F.relu(self.fine(fine) + fine)
        middle = F.relu(self.down4(fine))
        middle = F.relu(self.middle4(middle) + middle)
        coarse = F.relu(self.down8(middle))
        coarse = F.relu(self.middle8(coarse) + coarse)
        middle = F.relu(self.up4(torch.cat((_twice(coarse), middle), 1)))
        fine = F.relu(self.up2(torch.cat((_twice(middle), fine), 1)))
        found = F.pixel_shuffle(self.leave(fine), 2)
        matte, projection = sharp[:, 3:4], sharp[:, 4:5]
        return matte + torch.sigmoid(found[:, :1]) * (projection - matte) + found[:, 1:]


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


@dataclass(frozen=True, eq=False)
class Sides:
    """The colours of the sure subject and the sure background, each extended over the rest.

    Attributes
    ----------
    subject, background
        (h, w, 3) float32, as `upsampling.guide` gives colours, at a small size.
    """

    subject: Float32
    background: Float32


def sides_of(colours: Float32, matte: Float32) -> Sides:
    """Find the colours of both sides; `colours` (h, w, 3) and `matte` (h, w) of a small size."""
    return Sides(_extended(colours, _sure(matte)), _extended(colours, _sure(1 - matte)))


def _sure(side: Float32) -> Float32:
    return np.asarray(np.clip((side - 0.9) * 20, 0, 1) + 1e-5, np.float32)


def _extended(colours: Float32, weight: Float32) -> Float32:
    channels = (np.ascontiguousarray(colours[..., i]) for i in range(3))
    return np.dstack([upsampling.extended(channel, weight) for channel in channels])


def band_of(matte: Float32) -> Float32:
    """Return where a coarse matte (h, w) is to be refined: 1 there, else 0."""
    unsure = (matte > BAND) & (matte < 1 - BAND)
    return np.asarray(cv2.dilate(unsure.astype(np.float32), np.ones((REACH, REACH), np.uint8)))


def planes(colours: Float32, matte: Float32, sides: Sides) -> tuple[Float32, Float32]:
    """Make what the network reads.

    Parameters
    ----------
    colours : ndarray (h, w, 3)
        The photo as `upsampling.guide` gives it; even sides.
    matte : ndarray (h, w)
        The coarse matte at the same size.
    sides
        The colours of both sides here, (h, w, 3) each.

    Returns
    -------
    sharp : ndarray (h, w, 5)
        Colour, matte, and where the colour lies between those of the two sides (0 background, 1
        subject): alpha, were each side of one colour.
    smooth : ndarray (h / 2, w / 2, 6)
        The colours of both sides.
    """
    apart = sides.subject - sides.background
    along = np.einsum("hwc,hwc->hw", colours - sides.background, apart)
    projection = np.clip(along / (np.einsum("hwc,hwc->hw", apart, apart) + 1e-3), 0, 1)
    sharp = np.dstack((colours, matte, projection)).astype(np.float32)
    half = (matte.shape[1] // 2, matte.shape[0] // 2)
    both = np.dstack((sides.subject, sides.background))
    return sharp, np.asarray(cv2.resize(both, half), np.float32)


def network(device: torch.device) -> StrandNet:
    """Load the network that is used for hair once per process and device.

    Raises
    ------
    ModelMissing, ModelCorrupt
        The weights cannot be used.
    """
    return _loaded(registry.find(registry.chosen("hair")), device)


@functools.lru_cache(maxsize=2)
def _loaded(record: ModelRecord, device: torch.device) -> StrandNet:
    model = StrandNet()
    try:
        model.load_state_dict(registry.load_tensors(record))
    except RuntimeError as error:
        reason = textwrap.shorten(str(error).splitlines()[-1], 160, placeholder=" ...")
        raise ModelCorrupt(
            f"{record.file} does not fit {ARCHITECTURE} ({reason}){registry.remedy(record)}"
        ) from None
    return model.eval().to(device).to(memory_format=torch.channels_last)
