"""Depth metrics: invariance to what relative depth cannot know, sensitivity to what it must."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bokeh_core.evaluation import depth_metrics


@pytest.fixture
def scene():
    rng = np.random.default_rng(3)
    label = rng.random((60, 50), np.float32)
    mask = np.zeros((60, 50), np.float32)
    mask[20:50, 10:40] = 1
    label[mask > 0] += 1
    return label, mask


def test_scale_and_shift_do_not_matter(scene):
    label, mask = scene
    score = depth_metrics.score(label * 0.3 + 0.2, label, mask)
    assert score.rank == pytest.approx(1)
    assert score.delta1 == 1
    assert score.abs_rel == pytest.approx(0, abs=1e-4)
    assert score.subject_pairs == 1


def test_of_labels_in_metres_the_scores_are_of_metres(scene):
    label, mask = scene  # one over metres
    aligned = depth_metrics.score(label * 0.3 + 0.2, label + 0.1, mask, metric=True)
    assert aligned.abs_rel == pytest.approx(0, abs=1e-4)
    assert (aligned.delta1, aligned.rank) == (1, pytest.approx(1))
    near = np.float32(0.5) + label  # 0.4 to 2 m
    constant = depth_metrics.score(np.ones_like(near), near, metric=True)
    metres, mean = 1 / near.astype(np.float64), 1 / near.astype(np.float64).mean()
    assert constant.abs_rel == pytest.approx((np.abs(mean - metres) / metres).mean(), rel=0.05)


def test_what_alignment_puts_behind_infinity_is_ten_metres_away():
    label = np.full((40, 40), 0.2, np.float32)
    label[:4] = 2
    found = np.linspace(0, 1, 1600, dtype=np.float32).reshape(40, 40)
    found[:4] = 2
    pair = (plane.ravel().astype(float) for plane in (found, label))
    assert depth_metrics.align(*pair, -np.inf, np.inf).min() < 0
    score = depth_metrics.score(found, label, metric=True)
    assert np.isfinite(score.abs_rel)
    assert score.abs_rel <= 1  # 10 m for 5 m


def test_reversed_depth_has_rank_minus_one(scene):
    label, mask = scene
    score = depth_metrics.score(-label, label, mask)
    assert score.rank == pytest.approx(-1)
    assert score.subject_pairs == 0


def test_ties_get_mean_ranks():
    a = np.array([1.0, 2.0, 2.0, 3.0])
    b = np.array([1.0, 3.0, 2.0, 4.0])
    # mean ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4: 4.5 / sqrt(4.5 * 5)
    assert depth_metrics.rank_correlation(a, b) == pytest.approx(4.5 / np.sqrt(22.5))


def test_a_constant_map_has_rank_zero(scene):
    label, _ = scene
    score = depth_metrics.score(np.full_like(label, 0.5), label)
    assert score.rank == 0
    assert np.isnan(score.subject_pairs)


def test_noise_lowers_every_score(scene):
    label, mask = scene
    noisy = label + np.random.default_rng(0).normal(0, 0.5, label.shape).astype(np.float32)
    score = depth_metrics.score(noisy, label, mask)
    assert 0.2 < score.rank < 0.95
    assert score.delta1 < 0.95
    assert 0.5 < score.subject_pairs < 1


def test_what_is_not_known_is_not_scored():
    rng = np.random.default_rng(2)
    label = rng.random((60, 80)).astype(np.float32) + 0.1
    found = label.copy()
    holes = rng.random(label.shape) < 0.3
    found[holes] = rng.random(holes.sum())
    label[holes] = np.nan
    mask = (rng.random(label.shape) < 0.5).astype(np.float32)
    score = depth_metrics.score(found, label, mask)
    assert (score.rank, score.subject_pairs) == pytest.approx((1, 1))
    assert score.abs_rel == pytest.approx(0, abs=1e-5)
    nothing = depth_metrics.score(found, np.full_like(label, np.nan))
    assert all(math.isnan(value) for value in vars(nothing).values())


def test_metres_beyond_the_usual_range_are_not_clipped():
    metres = np.linspace(2, 80, 4000, dtype=np.float32).reshape(50, 80)
    assert depth_metrics.score(1 / metres, 1 / metres, metric=True).abs_rel < 0.01
