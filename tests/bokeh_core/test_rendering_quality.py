"""Quality against the thin lens on small scenes: PSNR of fixed scenes is the same on every run."""

import dataclasses
import functools
import math

import cv2
import numpy as np
import pytest

from bokeh_core.evaluation.render_methods import ours, paper
from bokeh_core.evaluation.render_metrics import Regions, psnr, score
from bokeh_core.evaluation.scenes import SCENES
from bokeh_core.evaluation.thin_lens import Inputs, photograph, pinhole
from bokeh_core.lens import Lens
from bokeh_core.rendering import lens_blur, render
from bokeh_core.rendering.aperture_blur.kernel import aperture_kernel

WIDTH, MAX_COC = 288, 20.0
CASES = [(make, focus_on) for make in SCENES for focus_on in ("subject", "back")]
NAMES = [f"{make.__name__}-{focus_on}" for make, focus_on in CASES]


@functools.cache
def case(make, focus_on):
    scene = make(WIDTH, math.ceil(MAX_COC) + 4, seed=7)
    subject = next(layer.disparity for layer in scene.layers if layer.subject)
    focus = subject if focus_on == "subject" else scene.layers[0].disparity
    lens = Lens(focus=focus, max_coc=MAX_COC)
    return scene, pinhole(scene), lens, photograph(scene, max_coc=MAX_COC, focus=focus, samples=90)


@pytest.mark.parametrize(("make", "focus_on"), CASES, ids=NAMES)
def test_exact_depth_is_close_to_the_truth_and_far_better_than_the_papers_way(make, focus_on):
    scene, inputs, lens, truth = case(make, focus_on)
    regions = Regions.of(scene, inputs, lens)
    got, theirs = (score(method(inputs, lens), truth, regions) for method in (ours, paper))
    assert got.whole >= 33.0
    assert got.whole >= theirs.whole + 6.0
    assert got.edges >= 29.0
    assert got.hair >= 25.0
    assert abs(got.halo) <= 1.5
    if focus_on == "subject":  # focused on the wall, the plane has no rows next to the focus
        assert got.banding <= 0.2 * theirs.banding


def soft(depth):
    return cv2.GaussianBlur(depth, (0, 0), 1.5)


def eroded(depth):
    return cv2.erode(depth, np.ones((5, 5)))


def shifted(depth):
    return np.ascontiguousarray(np.roll(depth, (2, 2), (0, 1)))


def noisy(depth):
    noise = np.random.default_rng(0).normal(0, 0.02, depth.shape)
    return np.clip(depth + noise, 0, 1).astype(np.float32)


def eight_bit(depth):
    return (np.round(depth * 255) / 255).astype(np.float32)


@pytest.mark.parametrize("damage", [soft, eroded, shifted, noisy, eight_bit])
@pytest.mark.parametrize("focus_on", ["subject", "back"])
def test_poor_depth_degrades_gently(damage, focus_on):
    scene, inputs, lens, truth = case(SCENES[0], focus_on)
    regions = Regions.of(scene, inputs, lens)
    poor = Inputs(inputs.rgb, damage(inputs.depth), inputs.matte)
    exact = score(ours(inputs, lens), truth, regions)
    got = score(ours(poor, lens), truth, regions)
    assert got.whole >= 30.0
    assert got.whole >= exact.whole - 6.0


def test_no_matte_still_beats_the_papers_way():
    scene, inputs, lens, truth = case(SCENES[0], "subject")
    regions = Regions.of(scene, inputs, lens)
    bare = Inputs(inputs.rgb, inputs.depth, np.zeros_like(inputs.matte))
    theirs = score(paper(inputs, lens), truth, regions)
    assert score(ours(bare, lens), truth, regions).whole >= theirs.whole + 5.0


@pytest.mark.parametrize(("make", "focus_on"), CASES, ids=NAMES)
@pytest.mark.parametrize("cat_eye", [0.0, 0.9])
def test_a_preview_looks_like_the_full_picture_made_smaller(make, focus_on, cat_eye):
    scene = make(3 * WIDTH, math.ceil(3 * MAX_COC) + 4, seed=7)
    inputs = pinhole(scene)
    subject = next(layer.disparity for layer in scene.layers if layer.subject)
    focus = subject if focus_on == "subject" else scene.layers[0].disparity
    lens = Lens(focus=focus, max_coc=3 * MAX_COC, cat_eye=cat_eye)

    def small(plane):
        size = (WIDTH, inputs.depth.shape[0] // 3)
        return cv2.resize(plane, size, interpolation=cv2.INTER_AREA)

    planes = {name: small(getattr(inputs, name)) for name in ("rgb", "depth", "matte")}
    preview = render(**planes, lens=lens.scaled(1 / 3), preview=True)
    assert psnr(preview, small(ours(inputs, lens))) >= 35.0


@pytest.mark.parametrize(("make", "focus_on"), CASES, ids=NAMES)
def test_layers_cut_from_reduced_pictures_are_close_to_those_cut_at_full_size(
    make, focus_on, monkeypatch
):
    """Large pictures are cut at half and quarter size where they are blurred much."""
    _, inputs, lens, truth = case(make, focus_on)
    wide = dataclasses.replace(lens, max_coc=2.5 * MAX_COC)
    whole = [ours(inputs, each) for each in (lens, wide)]
    monkeypatch.setattr(lens_blur, "LARGE", 0)
    near, far = (ours(inputs, each) for each in (lens, wide))
    assert psnr(near, truth) >= psnr(whole[0], truth) - 0.5
    assert psnr(near, whole[0]) >= 42.0
    assert psnr(far, whole[1]) >= 38.0


def test_cat_eyes_are_close_to_a_kernel_for_every_pixel():
    """Kernels are blended between a few places of the frame; the truth has one for each pixel."""
    height, width, radius = 48, 64, 5.0
    lens = Lens(focus=1.0, max_coc=radius, cat_eye=0.8)
    rgb = np.random.default_rng(1).uniform(0, 1, (height // 4, width // 4, 3)).astype(np.float32)
    rgb = rgb.repeat(4, 0).repeat(4, 1)
    light, density = (np.zeros((height + 24, width + 24, count)) for count in (3, 1))
    padded = np.pad(rgb, ((12, 12), (12, 12), (0, 0)), mode="symmetric")
    diagonal = math.hypot(height, width)
    for y in range(4, height + 20):
        for x in range(4, width + 20):
            row, column = min(max(y - 12, 0), height), min(max(x - 12, 0), width)
            place = (2 * column - width) / diagonal, (2 * row - height) / diagonal
            kernel = aperture_kernel(lens, radius, field=place).numpy()[..., None]
            half = kernel.shape[0] // 2
            here = (slice(max(y - half, 0), y + half + 1), slice(max(x - half, 0), x + half + 1))
            kernel = kernel[max(half - y, 0) :, max(half - x, 0) :]
            kernel = kernel[: light[here].shape[0], : light[here].shape[1]]
            light[here] += kernel * padded[y, x]
            density[here] += kernel
    inner = (slice(12, -12), slice(12, -12))
    truth = (light[inner] / density[inner]).astype(np.float32)
    got = render(rgb, depth=np.zeros((height, width), np.float32), matte=None, lens=lens)
    assert psnr(got, truth) >= 42.0
