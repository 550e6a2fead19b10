"""Planes brought to full size: exact where they must be, along the photo's edges where they can."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bokeh_core import segmentation, upsampling


@pytest.fixture
def rgb():
    return np.random.default_rng(1).random((90, 70, 3), np.float32)


@given(st.integers(1, 9000), st.integers(1, 9000), st.integers(1, 2000))
def test_a_working_size_keeps_the_shape_and_never_enlarges(height, width, side):
    found = upsampling.size_within((height, width), side)
    assert max(found) == min(side, max(height, width))
    scale = max(found) / max(height, width)
    for length, whole in zip(found, (width, height), strict=True):
        assert 1 <= length <= whole
        assert length == 1 or abs(length - whole * scale) <= 0.5 + 1e-9


def test_a_plane_that_is_linear_in_the_colours_is_found_exactly(rgb):
    colours = upsampling.guide(rgb)
    plane = colours @ np.array([0.2, -0.5, 0.7], np.float32) + np.float32(0.1)
    model = upsampling.fit(colours, plane, np.ones_like(plane), 4, 1e-7)
    found = upsampling.applied(model, rgb, slice(0, 90))
    np.testing.assert_allclose(found, plane, atol=2e-3)


def test_a_constant_plane_stays_constant(rgb):
    plane = np.full((90, 70), 0.3, np.float32)
    model = upsampling.fit(upsampling.guide(rgb), plane, np.ones_like(plane), 3, 1e-3)
    np.testing.assert_allclose(upsampling.applied(model, rgb, slice(0, 90)), 0.3, atol=1e-4)


@pytest.fixture
def step():
    """A photo of two plain colours, where they meet, and that blurred."""
    rgb = np.full((64, 64, 3), 0.1, np.float32)
    rgb[:, 32:] = (0.8, 0.5, 0.2)
    truth = np.zeros((64, 64), np.float32)
    truth[:, 32:] = 1
    return rgb, truth, cv2.GaussianBlur(truth, (0, 0), 3)


def test_a_blurred_step_is_put_back_on_the_edge_of_the_photo(step):
    """The fit alone leaves .47 of the error, and cannot leave less with these weights.

    A linear model of two colours gives each side its weighted mean of the blurred plane, about .1
    from the truth, spread over the window. Weights of a higher power or means weighted by the
    window's contrast were tried: better or worse here, and no better outlines on photos.
    """
    rgb, truth, blurred = step
    model = upsampling.fit(upsampling.guide(rgb), blurred, (2 * blurred - 1) ** 2 + 0.02, 6, 1e-4)
    found = upsampling.applied(model, rgb, slice(0, 64))
    assert np.abs(found - truth).max() < 0.2  # the blurred step itself: 0.43
    assert np.abs(found - truth).mean() < np.abs(blurred - truth).mean() / 2


def test_the_matte_puts_back_a_blurred_step_to_less_than_a_third_of_its_error(step):
    """What the matte adds to the fit: sure pixels stay, and what is nearly sure becomes it."""
    rgb, truth, blurred = step
    coarse = cv2.resize(blurred, (32, 32), interpolation=cv2.INTER_AREA)
    found = segmentation.guided(rgb, coarse, lambda *_: None)
    assert np.abs(found - truth).max() < 0.2  # the blurred step itself: 0.43
    assert np.abs(found - truth).mean() < np.abs(blurred - truth).mean() / 3


@pytest.mark.parametrize("shape", [(300, 200), (301, 407), (90, 70)])
def test_strips_equal_the_whole(rgb, shape, monkeypatch):
    monkeypatch.setattr(upsampling, "STRIP_PIXELS", 5_000)
    plane = np.ascontiguousarray(rgb[..., 0])
    ticks = []
    found = upsampling.enlarged(plane, shape, ticks.append)
    whole = cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_LINEAR)
    # warpAffine interpolates at 1/32 of a pixel
    np.testing.assert_allclose(found, whole, atol=1 / 16)
    assert np.abs(found - whole).mean() < 5e-3
    assert ticks[-1] == 1
    assert ticks == sorted(ticks)


def test_extension_keeps_what_is_known_and_fills_the_rest_with_it():
    plane = np.full((40, 50), 9.0, np.float32)
    weight = np.full((40, 50), 1e-6, np.float32)
    plane[:, :20] = 0.7
    weight[:, :20] = 1
    found = upsampling.extended(plane, weight)
    np.testing.assert_allclose(found[:, :20], 0.7, atol=1e-4)
    np.testing.assert_allclose(found[:, 20:], 0.7, atol=0.02)
