"""Strokes end at outlines, mean the same at every size, and can be erased."""

from __future__ import annotations

import numpy as np
import pytest

from bokeh_core import picture, samples
from bokeh_core.errors import InputError
from bokeh_core.strokes import DEPTH_STEP, Stroke, all_painted, painted


def sleeve(size=200, seed=3, stripes=0.0):
    """A textured dark stripe, 60 to 140, before something light."""
    rng = np.random.default_rng(seed)
    rgb = np.full((size, size, 3), 0.6, np.float32)
    rgb[:, 60 * size // 200 : 140 * size // 200] = (0.15, 0.05, 0.04)
    if stripes:
        rgb[:: size // 20, 60 * size // 200 : 140 * size // 200] += stripes
    return np.clip(rgb + rng.normal(0, 0.004, rgb.shape), 0, 1).astype(np.float32)


def stroke(**changed):
    down = tuple((100.0, float(y)) for y in range(40, 161, 10))
    given = {"plane": "matte", "effect": "raise", "radius": 60.0, "softness": 0.3, "points": down}
    return Stroke(**{**given, **changed})


def after(rgb, *strokes, fill=0.0):
    plane = np.full(rgb.shape[:2], fill, np.float32)
    return all_painted(plane, plane, rgb, strokes)


@pytest.mark.parametrize("stripes", [0.0, 0.02])
def test_a_stroke_in_a_sleeve_stops_at_its_outline(stripes):
    matte, depth = after(sleeve(stripes=stripes), stroke())
    inside, outside = matte[60:140, 66:134], matte[60:140, [45, 50, 54, 146, 150, 155]]
    assert inside.mean() > 0.9
    assert outside.max() < 0.1
    assert not depth.any()


def test_without_edges_it_is_a_plain_brush():
    matte, _ = after(sleeve(), stroke(edges=False, softness=0.0))
    rows, columns = np.nonzero(matte > 0.5)
    assert (columns.min(), columns.max()) == pytest.approx((40, 160), abs=2)
    assert (rows.min(), rows.max()) == (0, 199)


@pytest.mark.parametrize("effect", ["raise", "lower"])
def test_depth_moves_by_a_step(effect):
    _, depth = after(sleeve(), stroke(plane="depth", effect=effect), fill=0.5)
    sign = 1 if effect == "raise" else -1
    assert depth[100, 100] == pytest.approx(0.5 + sign * DEPTH_STEP, abs=1e-3)
    assert depth[100, 30] == 0.5


def test_erasing_brings_back_what_was_there():
    rgb = sleeve()
    before = np.random.default_rng(1).random(rgb.shape[:2]).astype(np.float32)
    drawn = stroke(softness=0.0)
    matte = painted(before, before, rgb, drawn)
    erased = painted(matte, before, rgb, stroke(effect="erase", softness=0.0))
    assert np.abs(matte - before).max() > 0.5
    where = np.s_[60:140, 70:130]
    np.testing.assert_allclose(erased[where], before[where], atol=0.02)


def test_blurred_takes_the_matte_away():
    matte, _ = after(sleeve(), stroke(effect="lower"), fill=1.0)
    assert matte[100, 100] == 0
    assert matte[100, 30] == 1


def test_a_stroke_means_the_same_on_a_preview():
    small, large = sleeve(200), sleeve(1000)
    fine, _ = after(large, stroke().scaled(5))
    coarse, _ = after(small, stroke())
    shrunk = fine.reshape(200, 5, 200, 5).mean((1, 3))
    assert np.abs(shrunk - coarse).mean() < 0.02


def test_a_stroke_on_a_real_photo_stays_in_the_sleeve():
    rgb = picture.read(samples.ASTRONAUT).linear()
    matte, _ = after(rgb, stroke(radius=60.0, points=((90.0, 330.0), (70.0, 400.0))))
    assert matte[330:400, 75:90].mean() > 0.7
    assert matte[:, :14].mean() < 0.05  # the flag beside it


@pytest.mark.parametrize("points", [((-50.0, -50.0),), ((500.0, 90.0), (600.0, 90.0))])
def test_a_stroke_outside_changes_nothing(points):
    matte, _ = after(sleeve(), stroke(points=points, radius=20.0))
    assert not matte.any()


def test_a_stroke_that_leaves_the_picture_is_cut_off():
    matte, _ = after(sleeve(), stroke(points=((100.0, 190.0), (100.0, 400.0)), radius=30.0))
    assert matte[199, 100] == 1


@pytest.mark.parametrize(
    "wrong", [{"radius": 0.0}, {"softness": 2.0}, {"points": ()}, {"plane": "rgb"}]
)
def test_an_impossible_stroke_is_refused(wrong):
    with pytest.raises(InputError):
        stroke(**wrong)
