"""What hair is learnt from, and a short run from pictures to weights."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bokeh_core.errors import InputError
from bokeh_core.networks import registry, strands
from bokeh_core.training import hair_assets, hair_samples, hair_training
from bokeh_core.training.items import Labelled

SKIN = np.full((80, 80, 3), (120, 80, 60), np.uint8)


def head(behind):
    """A head with short hair before a background: picture, mask and alpha."""
    solid = np.zeros((320, 320), np.uint8)
    cv2.ellipse(solid, (160, 150), (80, 95), 0, 0, 360, 255, -1)
    cv2.rectangle(solid, (60, 230), (260, 319), 255, -1)
    hairy = solid.copy()
    for turn in np.linspace(np.pi, 2 * np.pi, 90):
        ends = [(160 + r * np.cos(turn), 150 + 1.2 * r * np.sin(turn)) for r in (70, 88)]
        cv2.line(hairy, *(tuple(map(round, end)) for end in ends), 255, 1)
    alpha = cv2.GaussianBlur(hairy / np.float32(255), (0, 0), 0.7)
    rgb = np.float32((60, 40, 30)) * alpha[..., None] + behind * (1 - alpha[..., None])
    return Labelled(rgb.astype(np.uint8), solid, None), alpha


@pytest.mark.parametrize("seed", range(4))
def test_drawn_strands_are_solid_thin_and_nothing(seed):
    asset = hair_assets.drawn(SKIN, np.random.default_rng(seed))
    assert asset.colours.shape == (hair_assets.SIDE, hair_assets.SIDE, 3)
    assert (asset.alpha == 255).mean() > 0.03
    assert (asset.alpha == 0).mean() > 0.2
    assert ((asset.alpha > 12) & (asset.alpha < 243)).mean() > 0.005


def test_a_sample_is_what_the_network_reads_and_is_the_same_again():
    asset = hair_assets.drawn(SKIN, np.random.default_rng(1))
    behind = np.random.default_rng(2).integers(0, 255, (200, 300, 3), np.uint8)
    first, again = (hair_samples.sample(asset, behind, np.random.default_rng(3)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    sharp, smooth, alpha, band = first
    side = hair_samples.CROP
    assert sharp.shape == (side, side, 5)
    assert smooth.shape == (side // 2, side // 2, 6)
    assert band[(alpha > 0.2) & (alpha < 0.8)].mean() > 0.8  # what is asked for is looked at
    assert strands.StrandNet()(*hair_training.batch_of([first])[:2]).shape == (1, 1, side, side)


def test_a_coarse_matte_has_lost_strands_and_kept_the_solid():
    asset = hair_assets.drawn(SKIN, np.random.default_rng(1))
    cover = asset.alpha / np.float32(255)
    coarse = hair_samples.coarsened(cover, np.random.default_rng(0))
    solid = cv2.erode(np.uint8(cover > 0.99), np.ones((25, 25))) > 0
    assert coarse[solid].min() > 0.8
    assert np.abs(np.diff(coarse)).sum() < np.abs(np.diff(cover)).sum()


@pytest.mark.slow  # numba compiles pymatting for minutes on its first use
def test_alpha_is_solved_for_before_an_even_background_only():
    pytest.importorskip("pymatting", reason="the extra [matting] is not installed")
    labelled, alpha = head(np.float32(230))
    asset = hair_assets.from_portrait(labelled)
    assert asset is not None
    place = hair_assets._head(labelled)
    assert np.abs(asset.alpha / 255 - alpha[place]).mean() < 0.05
    noise = np.random.default_rng(0).integers(0, 255, (320, 320, 3)).astype(np.float32)
    assert hair_assets.from_portrait(head(noise)[0]) is None


@pytest.mark.slow
def test_a_run_goes_from_pictures_to_weights_and_on_from_its_checkpoint(tmp_path, own_models):
    pytest.importorskip("pymatting", reason="the extra [matting] is not installed")
    for index in range(24):
        labelled, _ = head(np.float32(200 + index))
        cv2.imwrite(str(tmp_path / f"a{index}.jpg"), labelled.rgb[..., ::-1])
        cv2.imwrite(str(tmp_path / f"a{index}_mask.png"), labelled.mask)
    told = []
    plan = hair_training.HairRun(tmp_path, tmp_path / "run", portraits=2, drawn=6, minutes=0.05)
    scores = hair_training.train(plan, told.append)
    assert scores.found > 0
    assert hair_training.train(plan, told.append) == scores  # nothing is left to learn
    record = hair_training.export(plan, "locks", "MIT")
    net = strands.StrandNet()
    net.load_state_dict(registry.load_tensors(record))


def test_pictures_without_an_even_background_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(hair_assets, "from_portrait", lambda _: None)
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((64, 64, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "a_mask.png"), np.zeros((64, 64), np.uint8))
    with pytest.raises(InputError, match="no head before an even background"):
        hair_training.train(hair_training.HairRun(tmp_path, tmp_path / "run"), print)
