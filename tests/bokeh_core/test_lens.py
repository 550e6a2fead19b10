"""The parameter sets: ranges, the CoC formula, camera units, the focus point."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from bokeh_core.binned_gaussian import BinnedGaussian
from bokeh_core.errors import InputError
from bokeh_core.lens import (
    HEAD,
    Lens,
    disparity_at,
    near_disparity,
    subject_disparity,
)
from bokeh_core.rendering.aperture_blur.kernel import _edge

NUMBERS = [
    (kind, field)
    for kind in (Lens, BinnedGaussian)
    for field in dataclasses.fields(kind)
    if "also" in field.metadata
]


@pytest.mark.parametrize(("kind", "field"), NUMBERS, ids=lambda value: getattr(value, "name", ""))
def test_every_number_is_refused_outside_its_range_and_the_message_says_the_range(kind, field):
    low, high = field.metadata["low"], field.metadata["high"]
    whole = field.type == "int"
    for edge in (low, high):
        kind(**{field.name: int(edge) if whole else edge})
    for bad in (high + 1, low - 1 - (field.metadata["also"] is not None), math.nan, "1", True):
        with pytest.raises(InputError, match=rf"{field.name} must be .*{low:g} to") as caught:
            kind(**{field.name: bad})
        assert f"{high:g}" in str(caught.value)


def test_every_field_says_what_it_is():
    for kind in (Lens, BinnedGaussian):
        for field in dataclasses.fields(kind):
            assert field.metadata["help"], field.name
            assert "unit" in field.metadata, field.name


def test_coc_is_the_contract_and_agrees_between_numpy_and_torch():
    depth = np.linspace(0, 1, 11, dtype=np.float32)
    lens = Lens(focus=0.62, max_coc=48.0)
    np.testing.assert_allclose(np.abs(lens.coc(depth)), 48 * np.abs(depth - 0.62), atol=1e-5)
    np.testing.assert_array_equal(lens.coc(depth), lens.coc(torch.from_numpy(depth)).numpy())
    assert lens.coc(depth)[0] < 0 < lens.coc(depth)[-1]


def test_focus_range_is_sharp_and_foreground_scales_the_near_side_only():
    depth = np.array([0.1, 0.45, 0.5, 0.55, 0.9], np.float32)
    coc = Lens(focus=0.5, focus_range=0.12, foreground=0.5, max_coc=100).coc(depth)
    np.testing.assert_allclose(coc, [-34, 0, 0, 0, 17], atol=1e-4)
    assert Lens(focus=0.5, foreground=0.0).coc(depth)[-1] == 0


def test_an_open_focus_must_be_resolved_first():
    with pytest.raises(InputError, match="resolved"):
        Lens().coc(np.zeros(3))
    with pytest.raises(InputError, match="resolved"):
        Lens(focus=0.5, focus_point=(0.5, 0.5)).coc(np.zeros(3))


def test_focus_point_ignores_noise_and_holes_and_lands_on_a_surface():
    depth = np.full((200, 300), 0.2, np.float32)
    depth[:, 150:] = 0.8
    rng = np.random.default_rng(1)
    noisy = np.clip(depth + rng.normal(0, 0.01, depth.shape), 0, 1).astype(np.float32)
    noisy[100, 200] = 0.0
    assert disparity_at(noisy, 200.5 / 300, 100.5 / 200) == pytest.approx(0.8, abs=0.02)
    for x in np.linspace(0.45, 0.55, 9):
        assert disparity_at(depth, float(x), 0.5) in {np.float32(0.2), np.float32(0.8)}
    lens = Lens(focus=0.1, focus_point=(0.9, 0.5)).resolved(depth)
    assert (lens.focus, lens.focus_point) == (pytest.approx(0.8), None)


def test_without_a_focus_the_subject_is_in_focus_else_what_is_near():
    depth = np.full((60, 60), 0.2, np.float32)
    depth[:15] = 0.7
    matte = np.zeros_like(depth)
    assert subject_disparity(depth, matte) == pytest.approx(0.2)
    matte[:15] = 1
    assert Lens().resolved(depth, matte).focus == pytest.approx(0.7)


@pytest.mark.parametrize("scale", [1, 9])
def test_what_is_near_is_large_and_near_the_middle(scale):
    depth = np.full((60, 80), 0.1, np.float32)
    depth[52:] = 0.95  # the ground in front
    depth[10:13, 40:43] = 0.9  # a leaf
    depth[15:55, 20:45] = 0.6  # the thing, not in the very middle
    large = np.kron(depth, np.ones((scale, scale), np.float32))
    assert near_disparity(large) == pytest.approx(0.6)
    large[:, :: 2 * scale] = np.nan
    assert near_disparity(large) == pytest.approx(0.6)
    assert near_disparity(np.full((4, 4), np.nan, np.float32)) == 0.5


@pytest.mark.parametrize("point", [(0.5,), (2, 0), (-0.1, 0.5), "ab", 3, (math.nan, 0.5)])
def test_bad_focus_points_are_refused(point):
    with pytest.raises(InputError, match="focus_point must be"):
        Lens(focus_point=point)


@pytest.mark.parametrize(
    "kernel", [[], [[0.0, 0.0]], [[1, -1]], [[math.inf]], [[1, 2], [3]], np.ones((65, 3)), "x"]
)
def test_bad_kernels_are_refused(kernel):
    with pytest.raises(InputError, match="kernel must"):
        Lens(kernel=kernel)


def test_lenses_are_values_even_with_a_kernel():
    lens = Lens(kernel=np.eye(3))
    assert lens == Lens(kernel=[[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert hash(lens) == hash(dataclasses.replace(lens))


def test_camera_units_follow_the_thin_lens_formula():
    settings = {
        "image_width_px": 6000,
        "f_number": 1.8,
        "focal_length_mm": 85.0,
        "sensor_width_mm": 36.0,
        "focus_distance_m": 2.0,
        "nearest_m": 1.5,
    }
    lens = Lens.from_camera(**settings, ring=0.5)
    f, s = 85.0, 2000.0
    for z in (1500.0, 3000.0, 8000.0):
        disparity = (1 / z) / (1 / 1500.0)
        diameter_mm = f * f / 1.8 / (s - f) * abs(z - s) / z  # textbook blur disc on the sensor
        radius_px = 0.5 * diameter_mm * 6000 / 36
        assert abs(lens.coc(np.float64(disparity))) == pytest.approx(radius_px, rel=1e-9)
    assert lens.ring == 0.5


def test_exif_fills_in_what_is_not_given():
    exif = {
        "FNumber": 1.8,
        "FocalLength": 4.2,
        "FocalLengthIn35mmFilm": 26,
        "SubjectDistance": 1.5,
    }
    lens = Lens.from_camera(image_width_px=4000, exif=exif)
    given = Lens.from_camera(
        image_width_px=4000,
        f_number=1.8,
        focal_length_mm=4.2,
        sensor_width_mm=36 * 4.2 / 26,
        focus_distance_m=1.5,
    )
    assert lens == given
    with pytest.raises(InputError, match="f_number is needed"):
        Lens.from_camera(image_width_px=4000)


PORTRAIT = {
    "image_width_px": 6000,
    "f_number": 1.8,
    "focal_length_mm": 85.0,
    "sensor_width_mm": 36.0,
}


@pytest.mark.parametrize(
    "distances",
    [{"focus_distance_m": 2.0}, {"focus_distance_m": 2.0, "focus": None}, {"nearest_m": 1.5}],
)
def test_a_camera_without_a_focus_is_focused_on_the_subject(distances):
    lens = Lens.from_camera(**PORTRAIT, **distances)
    assert lens.focus is None
    depth, matte = np.full((40, 40), 0.9, np.float32), np.zeros((40, 40), np.float32)
    depth[10:30, 10:30], matte[10:30, 10:30] = 0.4, 1.0
    assert lens.resolved(depth, matte).focus == pytest.approx(0.4)


def test_a_camera_takes_a_focus_in_each_of_its_words():
    assert Lens.from_camera(**PORTRAIT, focus_distance_m=2.0, focus=0.3).focus == 0.3
    by_distance = Lens.from_camera(**PORTRAIT, nearest_m=1.0, focus_distance_m=2.0)
    by_depth = Lens.from_camera(**PORTRAIT, nearest_m=1.0, focus=0.5)
    assert by_distance.focus == by_depth.focus == 0.5
    point = Lens.from_camera(**PORTRAIT, focus_distance_m=2.0, focus_point=(0.2, 0.3))
    assert (point.focus, point.focus_point) == (None, (0.2, 0.3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"f_number": 0}, "f_number must be greater than 0"),
        ({"focus_distance_m": None}, "focus_distance_m is needed, how far away the subject is"),
        ({"nearest_m": 1.0, "focus": 0.5}, "say the same: leave one of them out"),
        ({"focus_distance_m": 0.05}, "focal length"),
        ({"focus_distance_m": 9.0, "nearest_m": 1.0, "farthest_m": 5.0}, "between"),
        ({"nearest_m": 5.0, "farthest_m": 5.0}, "farthest_m must be greater"),
        ({"f_number": 0.001}, "at f/0.001, focused at 2 m, blurs this picture by up to"),
    ],
)
def test_impossible_cameras_are_refused(change, message):
    settings = {
        "image_width_px": 6000,
        "f_number": 1.8,
        "focal_length_mm": 85.0,
        "sensor_width_mm": 36.0,
        "focus_distance_m": 2.0,
    }
    with pytest.raises(InputError, match=message):
        Lens.from_camera(**(settings | change))


def test_the_paper_s_look_grows_with_the_picture():
    small, large = BinnedGaussian.usual(320, 416), BinnedGaussian.usual(3200, 4160)
    np.testing.assert_allclose(np.multiply(small.sigmas(), 10), large.sigmas())
    assert (small.bins, sorted(small.sigmas())) == (5, list(small.sigmas()))
    assert BinnedGaussian.usual(4000, 3000).sigmas()[0] == pytest.approx(2.6, abs=0.1)


def test_the_notebooks_windows_are_those_of_its_own_size():
    look = BinnedGaussian.notebook(320, 416)
    assert set(look.sigmas()) == {5.0}
    assert look.supports() == (7, 20, 20, 20, 20)  # 15 taps; four sigma where a window is wider
    assert BinnedGaussian.notebook(640, 832).supports()[0] == 14
    assert BinnedGaussian(strength=10.0, curve=0.0).supports() == (30,) * 5


@pytest.mark.parametrize("blades", [0, 3, 5, 6, 9, 16])
@pytest.mark.parametrize("curvature", [0.0, 0.2, 0.7, 1.0])
@pytest.mark.parametrize("squeeze", [1.0, 1.8])
def test_an_f_number_tells_the_area_whatever_the_blades(blades, curvature, squeeze):
    camera = {
        "image_width_px": 6000,
        "f_number": 2.0,
        "focal_length_mm": 85.0,
        "sensor_width_mm": 36.0,
        "focus_distance_m": 2.0,
    }
    disc = Lens.from_camera(**camera)
    lens = Lens.from_camera(**camera, blades=blades, curvature=curvature, squeeze=squeeze)
    angle = (np.arange(20_000) + 0.5) * (2 * math.pi / 20_000)
    edge = _edge(lens, torch.from_numpy(angle)).numpy() * lens.max_coc
    assert 0.5 * (edge**2).mean() * 2 * math.pi == pytest.approx(
        math.pi * disc.max_coc**2, rel=1e-5
    )


def test_a_hexagon_is_a_tenth_wider_than_the_disc_and_its_own_image_is_not():
    assert Lens(blades=6).with_disc(10.0).max_coc == pytest.approx(10.997, abs=0.001)
    assert Lens(kernel=((1.0,),)).with_disc(10.0).max_coc == 10.0
    with pytest.raises(InputError, match="max_coc"):
        Lens(blades=3).with_disc(1000.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_head_is_the_top_fifth_of_the_subject(seed):
    dice = np.random.default_rng(seed)
    depth = dice.random((30, 40), np.float32)
    matte = (dice.random((30, 40), np.float32) > 0.7).astype(np.float32)
    values = depth[matte > 0.5]  # row by row from the top
    head = np.sort(values[: max(16, int(HEAD * values.size))])
    assert subject_disparity(depth, matte) == head[(head.size - 1) // 2]
