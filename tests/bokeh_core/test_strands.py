"""Hair at full resolution: drawn strands with the embedded weights; what is sure stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from bokeh_core import segmentation, strands
from bokeh_core.errors import Cancelled, InputError
from bokeh_core.picture import to_linear
from bokeh_core.segmentation import portrait_matte
from bokeh_core.training import hair_assets

CPU = torch.device("cpu")


def silent(*_):
    """Report to nobody."""


def composed(seed):
    """Drawn strands of one colour before another: photo and alpha."""
    dice = np.random.default_rng(seed)
    skin = np.full((64, 64, 3), dice.integers(20, 90, 3), np.uint8)
    asset = hair_assets.drawn(skin, dice)
    alpha = asset.alpha / np.float32(255)
    behind = to_linear(np.full((1, 1, 3), 255, np.uint8) - skin[:1, :1])
    light = to_linear(asset.colours) * alpha[..., None] + behind * (1 - alpha[..., None])
    return light.astype(np.float32), alpha


def test_strands_are_found_that_the_coarse_matte_and_the_guided_filter_have_lost():
    wrong = []
    for seed in range(8):
        rgb, alpha = composed(seed)
        coarse = cv2.GaussianBlur(
            cv2.resize(alpha, (96, 96), interpolation=cv2.INTER_AREA), (0, 0), 1
        )
        ways = (
            cv2.resize(coarse, (256, 256)),
            segmentation.guided(rgb, coarse, silent),
            strands.refined(rgb, coarse, CPU, silent),
        )
        wrong.append([np.abs(way - alpha).sum() for way in ways])
    plain, guided, found = np.mean(wrong, 0)
    assert found < 0.85 * guided
    assert found < 0.85 * plain


@pytest.mark.parametrize("shape", [(16, 16), (40, 700), (901, 333)])
def test_what_is_sure_stays_in_any_shape(shape):
    dice = np.random.default_rng(1)
    rgb = dice.random((*shape, 3), np.float32)
    coarse = np.zeros((64, 64), np.float32)
    coarse[:, 32:] = 1
    matte = strands.refined(rgb, coarse, CPU, silent)
    assert matte.shape == shape
    assert matte.dtype == np.float32
    assert matte.min() >= 0
    assert matte.max() <= 1
    far = shape[1] // 4
    assert matte[:, :far].max() == 0
    assert matte[:, -far:].min() == 1


def test_a_large_photo_costs_no_more_tiles_than_are_allowed(monkeypatch):
    monkeypatch.setattr(strands, "MOST", 5)
    counts = []
    tiles = strands._tiles
    monkeypatch.setattr(
        strands, "_tiles", lambda size: counts.append((size.first, tiles(size))) or counts[-1][1]
    )
    rgb = np.random.default_rng(2).random((900, 900, 3), np.float32)
    strands.refined(rgb, np.full((100, 100), 0.5, np.float32), CPU, silent)
    assert [first for first, _ in counts] == [True, False, False]
    assert [len(found) for _, found in counts][1:] == [5, 5]


def test_progress_rises_and_cancel_passes_through():
    rgb, alpha = composed(0)
    coarse = cv2.resize(alpha, (64, 64), interpolation=cv2.INTER_AREA)
    told = []
    strands.refined(rgb, coarse, CPU, lambda _, fraction: told.append(fraction))
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)

    def stop(*_):
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        strands.refined(rgb, coarse, CPU, stop)


def test_the_network_of_strands_gives_no_matte_by_itself():
    with pytest.raises(InputError, match="hair only refines mattes"):
        portrait_matte(np.zeros((20, 20, 3), np.float32), model="hair")
