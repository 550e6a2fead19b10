"""Matte metrics: known values and the properties that define them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bokeh_core.evaluation import matte_metrics


@pytest.fixture
def disc():
    y, x = np.mgrid[:120, :100]
    return ((x - 50) ** 2 + (y - 60) ** 2 < 30**2).astype(np.float32)


def test_a_perfect_matte_has_perfect_scores(disc):
    score = matte_metrics.score(disc, disc)
    assert (score.iou, score.accuracy, score.boundary) == (1, 1, 1)
    assert (score.sad, score.mse, score.grad, score.conn) == pytest.approx((0, 0, 0, 0), abs=1e-12)


def test_half_a_rectangle_has_iou_one_half():
    truth = np.zeros((20, 20), np.float32)
    truth[:10] = 1
    half = truth.copy()
    half[5:] = 0
    assert matte_metrics.score(half, truth).iou == 0.5
    assert matte_metrics.score(half, truth).sad == pytest.approx(0.1)


def test_where_nobody_is_only_a_false_alarm_counts():
    empty = np.zeros((20, 20), np.float32)
    score = matte_metrics.score(empty, empty)
    assert math.isnan(score.iou)
    assert math.isnan(score.missed)
    assert (score.alarm, score.accuracy) == (0, 1)
    speck, patch = empty.copy(), empty.copy()
    speck[0, :4] = patch[0, :5] = 1  # 1 % and more
    assert matte_metrics.score(speck, empty).alarm == 0
    assert matte_metrics.score(patch, empty).alarm == 1


@pytest.mark.parametrize(("part", "found", "missed"), [(15, 1, 0), (12, 0, 0), (9, 0, 1)])
def test_somebody_is_found_or_missed_by_the_overlap(part, found, missed):
    truth, matte = np.zeros((2, 20, 20), np.float32)
    truth[:, :], matte[:part] = 1, 1
    score = matte_metrics.score(matte, truth)
    assert (score.found, score.missed) == (found, missed)
    assert math.isnan(score.alarm)


def test_unknown_pixels_change_no_score(disc):
    rng = np.random.default_rng(4)
    known = rng.random(disc.shape) < 0.6
    matte = np.clip(disc + rng.normal(0, 0.3, disc.shape), 0, 1).astype(np.float32)
    other_matte, other_truth = matte.copy(), disc.copy()
    other_matte[~known] = rng.random((~known).sum())
    other_truth[~known] = rng.random((~known).sum())
    one = matte_metrics.score(matte, disc, known=known)
    two = matte_metrics.score(other_matte, other_truth, known=known)
    np.testing.assert_equal(vars(one), vars(two))
    assert math.isnan(one.boundary)
    everywhere = matte_metrics.score(matte, disc, known=np.ones_like(known))
    np.testing.assert_equal(vars(everywhere), vars(matte_metrics.score(matte, disc)))


@pytest.mark.parametrize(("shift", "low", "high"), [(2, 1.0, 1.0), (4, 0.2, 0.9), (25, 0.0, 0.3)])
def test_the_boundary_score_forgives_up_to_the_tolerance(disc, shift, low, high):
    moved = np.roll(disc, shift, axis=1)
    assert low <= matte_metrics.score(moved, disc).boundary <= high


def test_the_picture_frame_is_no_outline():
    solid = np.ones((10, 10), bool)
    assert not matte_metrics.outline(solid).any()


def test_the_gradient_error_is_the_benchmarks():
    """By its definition, pixel by pixel: filters, borders and the unit of Rhemann et al. 2009."""
    rng = np.random.default_rng(4)
    matte, truth = rng.random((2, 13, 11), np.float32)

    def bell(x):
        return np.exp(-(x**2) / (2 * 1.4**2)) / (1.4 * np.sqrt(2 * np.pi))

    y, x = np.mgrid[-4:5, -4:5].astype(float)  # beyond 4 pixels the bell is below a hundredth
    assert bell(3) > 0.01 > bell(4)
    filter_x = bell(y) * -x * bell(x) / 1.4**2
    filter_x /= np.sqrt((filter_x**2).sum())

    def magnitude(plane):
        padded = np.pad(plane.astype(float), 4, mode="edge")
        found = np.zeros_like(plane, float)
        for row, column in np.ndindex(plane.shape):
            window = padded[row : row + 9, column : column + 9]
            found[row, column] = np.hypot((window * filter_x).sum(), (window * filter_x.T).sum())
        return found

    expected = ((magnitude(matte) - magnitude(truth)) ** 2).sum() / 1000
    assert matte_metrics.gradient_error(matte, truth) == pytest.approx(expected, rel=1e-4)


def test_sad_conn_and_grad_are_sums_in_thousands_and_mse_is_a_mean():
    truth = np.zeros((100, 100), np.float32)
    truth[:, 50:] = 1
    matte = truth.copy()
    matte[:, :20] = 1
    score = matte_metrics.score(matte, truth)
    assert score.sad == pytest.approx(2)
    assert score.mse == pytest.approx(0.2)
    assert score.conn == pytest.approx(2)
    step = np.arange(-4, 5) * np.exp(-(np.arange(-4, 5) ** 2) / (2 * 1.4**2))
    rise = np.cumsum(step / np.linalg.norm(step))
    bell = np.exp(-(np.arange(-4, 5) ** 2) / (2 * 1.4**2))
    along = (bell / np.linalg.norm(bell)).sum()  # every row of an upright edge is alike
    assert score.grad == pytest.approx(100 * (rise**2).sum() * along**2 / 1000, rel=1e-3)


def test_blur_costs_gradient_and_a_loose_island_costs_connectivity(disc):
    import cv2

    soft = cv2.GaussianBlur(disc, (0, 0), 3)
    assert matte_metrics.score(soft, disc).grad > 0.5
    island = disc.copy()
    island[5:15, 5:15] = 1
    assert matte_metrics.score(island, disc).conn == pytest.approx(0.1)
