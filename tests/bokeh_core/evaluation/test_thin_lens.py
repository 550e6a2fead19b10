"""The ground truth itself: what a thin lens must do by geometry."""

import numpy as np
import pytest

from bokeh_core.evaluation.render_metrics import Regions, psnr, score
from bokeh_core.evaluation.scenes import SCENES, portrait
from bokeh_core.evaluation.thin_lens import Layer, Scene, photograph, pinhole
from bokeh_core.lens import Lens

MARGIN = 16
SIZE = 64 + 2 * MARGIN


def plain(disparity, slope=0.0, rgb=None):
    rgb = (
        np.random.default_rng(0).random((SIZE, SIZE, 3)).astype(np.float32) if rgb is None else rgb
    )
    return Layer(rgb, np.ones((SIZE, SIZE), np.float32), disparity, slope)


def framed(*layers):
    return Scene("test", 64, 64, MARGIN, layers)


def test_a_layer_in_focus_is_the_picture_itself():
    scene = framed(plain(0.4))
    out = photograph(scene, max_coc=12, focus=0.4, samples=20)
    np.testing.assert_allclose(out, pinhole(scene).rgb, atol=1e-6)


@pytest.mark.parametrize("slope", [0.0, 0.004])
def test_a_constant_layer_stays_constant(slope):
    scene = framed(plain(0.2, slope, np.full((SIZE, SIZE, 3), 0.3, np.float32)))
    out = photograph(scene, max_coc=12, focus=0.5, samples=20)
    np.testing.assert_allclose(out, 0.3, atol=1e-6)


def test_a_point_becomes_a_disc_of_the_contracts_radius_and_keeps_its_light():
    rgb = np.zeros((SIZE, SIZE, 3), np.float32)
    rgb[SIZE // 2, SIZE // 2] = 1000.0
    out = photograph(framed(plain(0.0, rgb=rgb)), max_coc=10, focus=1.0, samples=600)[..., 0]
    y, x = np.mgrid[:64, :64] - 32
    assert out.sum() == pytest.approx(1000.0, rel=1e-4)
    assert out[np.hypot(x, y) > 11.5].sum() == 0
    assert (out * x * x).sum() / 1000 == pytest.approx(10**2 / 4, rel=0.03)


def test_a_slanted_plane_is_sharp_on_the_row_in_focus_only():
    scene = framed(plain(0.2, 0.01))
    out = photograph(scene, max_coc=12, focus=0.5, samples=60)
    error = np.abs(out - pinhole(scene).rgb).mean((1, 2))
    assert error.argmin() == pytest.approx(30, abs=1)
    assert error[30] < 0.02
    assert error[0] > 0.1


def test_a_near_layer_hides_and_lets_light_past_its_edge():
    alpha = np.zeros((SIZE, SIZE), np.float32)
    alpha[:, : SIZE // 2] = 1
    black = Layer(np.zeros((SIZE, SIZE, 3), np.float32), alpha, 1.0, subject=True)
    white = plain(0.0, rgb=np.ones((SIZE, SIZE, 3), np.float32))
    scene = framed(white, black)
    out = photograph(scene, max_coc=10, focus=0.0, samples=400)[32, :, 0]
    assert out[:20].max() < 1e-6
    assert out[44:].min() > 1 - 1e-6
    assert out[31:33].mean() == pytest.approx(0.5, abs=0.02)
    matte = pinhole(scene).matte
    assert matte[:, :32].min() == 1
    assert matte[:, 32:].max() == 0


def test_metrics_are_perfect_for_the_truth_and_signed_for_a_halo():
    scene = portrait(160, 14)
    inputs = pinhole(scene)
    lens = Lens(focus=0.6, max_coc=10)
    regions = Regions.of(scene, inputs, lens)
    truth = inputs.rgb
    perfect = score(truth, truth, regions)
    assert perfect.whole == perfect.hair == np.inf
    assert perfect.halo == perfect.banding == perfect.energy == 0
    darker = score(np.where(regions.halo[..., None], 0.5 * truth, truth), truth, regions)
    assert darker.halo < -5
    assert psnr(truth, truth) == np.inf


@pytest.mark.parametrize("make", SCENES)
def test_scenes_have_what_makes_blur_hard(make):
    inputs = pinhole(make(240, 20, seed=1))
    again = pinhole(make(240, 20, seed=1))
    np.testing.assert_array_equal(inputs.rgb, again.rgb)
    assert inputs.rgb.max() > 2  # lamps
    assert ((inputs.matte > 0.05) & (inputs.matte < 0.95)).mean() > 0.005  # hair
    assert len(np.unique(inputs.depth)) > 20  # slanted ground
    assert 0 <= inputs.depth.min() < inputs.depth.max() <= 1
