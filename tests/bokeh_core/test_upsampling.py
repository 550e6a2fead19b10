"""Planes brought to full size: exact where they must be, along the photo's edges where they can."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bokeh_core import upsampling


@pytest.fixture
def rgb():
    return np.random.default_rng(1).random((90, 70, 3), np.float32)


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


def test_a_blurred_step_is_put_back_on_the_edge_of_the_photo():
    rgb = np.full((64, 64, 3), 0.1, np.float32)
    rgb[:, 32:] = (0.8, 0.5, 0.2)
    truth = np.zeros((64, 64), np.float32)
    truth[:, 32:] = 1
    blurred = cv2.GaussianBlur(truth, (0, 0), 3)
    model = upsampling.fit(upsampling.guide(rgb), blurred, (2 * blurred - 1) ** 2 + 0.02, 6, 1e-4)
    found = upsampling.applied(model, rgb, slice(0, 64))
    assert np.abs(found - truth).max() < 0.2  # the blurred step itself: 0.43
    assert np.abs(found - truth).mean() < np.abs(blurred - truth).mean() / 2


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
