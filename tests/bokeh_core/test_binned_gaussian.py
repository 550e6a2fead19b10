"""The paper's algorithm with the strengths of its authors' notebook, held against OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bokeh_core.binned_gaussian import BinnedGaussian
from bokeh_core.picture import from_linear, to_linear
from bokeh_core.rendering import render

WIDTH, HEIGHT = 320, 416


@pytest.fixture(scope="module")
def photo():
    rng = np.random.default_rng(3)
    coarse = rng.random((26, 20, 3), np.float32)
    return cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)


def opencv(encoded, depth):
    """Do what the notebook does: five blurs, each shown where its bin is."""
    result = encoded.copy()
    far = 1 - (depth - depth.min()) / (depth.max() - depth.min())
    for index, times in enumerate(range(1, 20, 4)):
        size = (15 * times, 15 * times)
        inside = (0.2 * index <= far) & (far <= 0.2 * index + 0.2)
        result = np.where(inside[..., None], cv2.GaussianBlur(encoded, size, 5), result)
    return result


def test_the_notebooks_blur_is_opencvs(photo):
    rows = np.linspace(0.25, 0.75, HEIGHT, dtype=np.float32)
    depth = np.repeat(rows[:, None], WIDTH, 1)
    got = render(photo, depth=depth, lens=BinnedGaussian.notebook(WIDTH, HEIGHT))
    wanted = opencv(from_linear(photo, np.float32), depth)
    inner = (slice(24, -24), slice(24, -24))  # the two go on differently beyond the frame
    error = np.abs(from_linear(got, np.float32) - wanted).max(2)[inner]
    edges = np.diff(np.floor(5 * (rows - 0.25) / 0.5))[24:-24].nonzero()[0]  # either bin is right
    error[edges] = error[edges + 1] = 0
    assert error.max() < 1e-3


@pytest.mark.parametrize("tile", [None, 128])
def test_a_stretched_depth_is_that_of_the_whole_picture(photo, tile):
    from bokeh_core.rendering import render_tiles

    columns = np.linspace(0, 1, WIDTH, dtype=np.float32)
    depth = np.repeat(columns[None], HEIGHT, 0)
    look = BinnedGaussian(strength=6.0, stretch_depth=True)
    results = []
    for plane in (depth, np.asarray(0.25 + 0.5 * depth, np.float32)):
        made = np.empty_like(photo)

        def put(place, pixels, made=made):
            made[place] = pixels

        render_tiles(put, photo, depth=plane, lens=look, tile=tile)
        results.append(made)
    same = np.isclose(*results, atol=1e-4).all(2)
    assert same.mean() > 0.98  # rounding may move a pixel to the next bin


def test_a_depth_that_is_the_same_everywhere_is_not_stretched(photo):
    depth = np.full((HEIGHT, WIDTH), 0.5, np.float32)
    plain, stretched = (
        render(photo, depth=depth, lens=BinnedGaussian(stretch_depth=on)) for on in (False, True)
    )
    np.testing.assert_array_equal(plain, stretched)


def test_without_growth_all_bins_are_blurred_alike(photo):
    rows = np.linspace(0, 1, HEIGHT, dtype=np.float32)
    depth = np.repeat(rows[:, None], WIDTH, 1)
    bins, one = (
        render(photo, depth=depth, lens=BinnedGaussian(bins=n, strength=4.0, curve=0.0))
        for n in (5, 1)
    )
    np.testing.assert_allclose(bins, one, atol=1e-5)


def test_the_subject_is_pasted_sharp(photo):
    depth = np.zeros((HEIGHT, WIDTH), np.float32)
    depth[0, 0] = 1
    matte = np.zeros_like(depth)
    matte[100:200, 100:200] = 1
    got = render(photo, depth=depth, matte=matte, lens=BinnedGaussian.notebook(WIDTH, HEIGHT))
    np.testing.assert_array_equal(got[100:200, 100:200], photo[100:200, 100:200])
    assert not np.allclose(to_linear(from_linear(got, np.uint8)), photo, atol=0.1)
