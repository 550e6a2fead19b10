"""Matte and depth of real pictures with the embedded weights."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bokeh_core import picture, segmentation, subjects
from bokeh_core.analysis import analyse
from bokeh_core.depth import estimate_depth
from bokeh_core.errors import Cancelled, InputError
from bokeh_core.networks import inference
from bokeh_core.segmentation import portrait_matte


@pytest.fixture(scope="module")
def astronaut():
    from importlib.resources import files

    return picture.read(files("bokeh_core") / "samples" / "astronaut.png").linear()


@pytest.fixture(scope="module")
def analysed(astronaut):
    return analyse(astronaut)


def test_the_sample_portrait_has_a_subject_and_a_background(analysed):
    matte, depth = analysed
    assert matte.shape == depth.shape == (512, 512)
    assert matte.dtype == depth.dtype == np.float32
    assert matte.min() >= 0
    assert matte.max() <= 1
    assert depth.min() >= 0
    assert depth.max() <= 1
    face, wall = (slice(60, 160), slice(190, 260)), (slice(20, 120), slice(290, 350))
    assert matte[face].mean() > 0.97
    assert matte[wall].mean() < 0.1
    assert depth[face].mean() > depth[wall].mean() + 0.3


def test_the_depth_step_lies_on_the_outline_of_the_matte(analysed):
    matte, depth = analysed
    rows = slice(90, 130)  # beside the head
    inside = depth[rows][matte[rows] > 0.95]
    outside = depth[rows][matte[rows] < 0.05]
    assert inside.min() > np.quantile(outside, 0.9)


def test_separate_calls_agree_with_the_joint_one(astronaut, analysed):
    matte, depth = analysed
    np.testing.assert_array_equal(portrait_matte(astronaut), matte)
    np.testing.assert_array_equal(estimate_depth(astronaut, matte=matte), depth)


def test_the_mirrored_photo_gives_the_mirrored_matte(astronaut, analysed):
    mirrored = portrait_matte(np.ascontiguousarray(astronaut[:, ::-1]))[:, ::-1]
    assert np.abs(mirrored - analysed[0]).mean() < 0.01


@pytest.mark.parametrize("shape", [(16, 16), (320, 37), (33, 400), (700, 500)])
def test_any_shape_gives_maps_of_that_shape(shape):
    rgb = np.random.default_rng(0).random((*shape, 3), np.float32)
    matte, depth = analyse(rgb)
    assert matte.shape == depth.shape == shape
    assert np.isfinite(matte).all()
    assert np.isfinite(depth).all()


def test_nobody_in_the_photo_gives_an_exactly_empty_matte():
    ramp = np.linspace(0.05, 0.5, 256, dtype=np.float32)
    rgb = np.dstack([np.tile(ramp[:, None], (1, 320))] * 3)
    matte, depth = analyse(rgb)
    assert matte.max() == 0
    assert np.isfinite(depth).all()


def test_highlights_beyond_one_are_welcome(astronaut):
    bright = astronaut.copy()
    bright[:20, :20] = 900.0
    assert np.isfinite(portrait_matte(bright)).all()


@pytest.mark.parametrize("refine", ["border", "none"])
def test_other_refinements_find_the_same_person(astronaut, analysed, refine):
    other = portrait_matte(astronaut, refine=refine)
    assert other.shape == analysed[0].shape
    both = (other > 0.5) & (analysed[0] > 0.5)
    assert both.sum() / ((other > 0.5) | (analysed[0] > 0.5)).sum() > 0.9


@pytest.mark.slow  # numba compiles pymatting for minutes on its first use
def test_closed_form_matting_changes_only_the_outline(astronaut, analysed):
    pytest.importorskip("pymatting", reason="the extra [matting] is not installed")
    small = np.ascontiguousarray(astronaut[::4, ::4])
    plain = portrait_matte(small)
    solved = portrait_matte(small, refine="matting")
    changed = np.abs(solved - plain) > 0.05
    assert 0 < changed.mean() < 0.3


def test_a_focus_point_keeps_one_of_two_people(astronaut):
    two = np.concatenate((astronaut[:, 60:400], astronaut[:, 60:400]), axis=1)
    both = portrait_matte(two)
    left = portrait_matte(two, focus_point=(0.25, 0.3))
    half = two.shape[1] // 2
    face = slice(60, 160)
    assert both[face, 150:190].mean() > 0.8
    assert both[face, half + 150 : half + 190].mean() > 0.8
    assert left[face, 150:190].mean() > 0.8
    assert left[face, half + 150 : half + 190].mean() < 0.05


@pytest.mark.parametrize("point", [(0.44, 0.22), (0.3, 0.9), (0.75, 0.8)], ids=str)
def test_a_focus_point_anywhere_on_one_person_keeps_all_of_them(astronaut, point):
    main = portrait_matte(astronaut)
    there = portrait_matte(astronaut, focus_point=point)
    assert np.minimum(main, there).sum() > 0.99 * main.sum()


def test_a_focus_point_next_to_a_speck_finds_the_person():
    matte = np.zeros((120, 160), np.float32)
    matte[20:120, 60:100] = 1
    matte[10:12, 10:12] = 1
    seen = inference.Prediction(matte, matte, np.zeros_like(matte))
    kept = subjects.choose(seen, np.full((120, 160, 3), 0.2, np.float32), "main", (0.07, 0.1)).matte
    assert kept[20:120, 60:100].min() == 1
    assert kept[:, :40].max() == 0


def test_progress_rises_and_cancel_passes_through(astronaut):
    seen = []
    analyse(astronaut, progress=lambda stage, fraction: seen.append((stage, fraction)))
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    assert {stage for stage, _ in seen} == {"matte", "depth"}

    def stop(stage, fraction):
        raise Cancelled(stage)

    with pytest.raises(Cancelled):
        analyse(astronaut, progress=stop)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (np.zeros((20, 20), np.float32), r"\(H, W, 3\)"),
        (np.zeros((20, 20, 4), np.float32), r"\(H, W, 3\)"),
        (np.zeros((20, 20, 3), np.uint8), "float array"),
        (np.zeros((15, 400, 3), np.float32), "16"),
        (np.full((20, 20, 3), np.nan, np.float32), "NaN"),
        (np.full((20, 20, 3), np.inf, np.float32), "NaN or infinity"),
        (np.full((20, 20, 3), -1, np.float32), "rgb must be 0 to 65504"),
        ("photo.jpg", r"\(H, W, 3\)"),
    ],
)
def test_a_bad_photo_is_refused_in_words(bad, words):
    for call in (analyse, portrait_matte, estimate_depth):
        with pytest.raises(InputError, match=words):
            call(bad)


@pytest.mark.parametrize(
    "wrong", [{"refine": "magic"}, {"people": "nobody"}, {"focus_point": (2, 0)}]
)
def test_bad_parameters_are_refused_before_any_work(wrong, monkeypatch):
    monkeypatch.setattr(inference, "predict", lambda *_, **__: pytest.fail("work was done"))
    with pytest.raises(InputError, match=next(iter(wrong))):
        portrait_matte(np.zeros((20, 20, 3), np.float32), **wrong)


def test_a_matte_of_another_size_is_refused():
    rgb = np.zeros((20, 20, 3), np.float32)
    with pytest.raises(InputError, match="matte must be as large as rgb"):
        estimate_depth(rgb, matte=np.zeros((10, 10), np.float32))


@pytest.mark.parametrize("bad", [np.full((20, 20), np.nan), np.full((20, 20), 255.0), [[0.0]]])
def test_a_matte_that_is_none_is_refused(bad):
    with pytest.raises(InputError, match="matte must"):
        estimate_depth(np.zeros((20, 20, 3), np.float32), matte=bad)


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(InputError, match="device abacus cannot be used"):
        analyse(np.zeros((20, 20, 3), np.float32), device="abacus")


def test_the_network_sees_any_aspect_ratio_at_the_same_number_of_pixels():
    for shape in ((100, 100), (4000, 300), (300, 2000)):
        small = inference.network_input(np.zeros((*shape, 3), np.float32), 384)
        assert 0.75 < small.shape[0] * small.shape[1] / 384**2 < 1.3
        assert small.shape[0] % 32 == small.shape[1] % 32 == 0
    thin = inference.network_input(np.zeros((50_000, 16, 3), np.float32), 384)
    assert thin.shape == (8 * 384, 32, 3)  # not ever longer


def test_an_empty_choice_leaves_no_haze(astronaut):
    """The soft part of a person not chosen must not stay behind."""
    seen = inference.predict(astronaut)
    faint = dataclasses.replace(seen, matte=seen.matte * 0.015)
    found = segmentation.full_subject(astronaut, faint, segmentation.Choice(), lambda *_: None)
    assert found.matte.max() == 0
    assert found.notes == (subjects.NOBODY,)


def test_the_analysis_says_that_nobody_was_found(analysed):
    assert analysed.notes == ()
    assert analyse(np.full((64, 64, 3), 0.2, np.float32)).notes == (subjects.NOBODY,)


def test_a_wrong_outline_of_the_matte_makes_no_step_in_depth(astronaut, analysed):
    matte, depth = analysed
    fade = np.clip((np.arange(512, dtype=np.float32) - 120) / 120, 0, 1)
    suit = slice(330, 400), slice(120, 240)  # near, and even in depth
    assert matte[suit].min() > 0.5
    found = estimate_depth(astronaut, matte=matte * fade)
    assert np.abs(found - depth)[suit].max() < 0.08  # 0.16 without the limits of the network
