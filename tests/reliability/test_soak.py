"""The slope of a soak is told with how sure it is."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reliability.soak_rows import slope

HOURS = np.linspace(0, 1 / 3, 3000)


@pytest.mark.parametrize("growth", [-2.0, 0.0, 0.7, 40.0])
def test_the_true_growth_is_within_the_interval(growth):
    inside = 0
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(0, 0.3, len(HOURS))
        found = slope(HOURS, 30 + growth * HOURS + noise)
        inside += abs(found.per_hour - growth) <= found.error
    assert inside >= 34  # of 40; 38 are meant


def test_warm_up_does_not_count():
    found = slope(HOURS, np.minimum(HOURS * 100, 8.0))
    assert abs(found.per_hour) <= found.error + 1e-6


def test_a_few_samples_say_nothing():
    assert slope([0.0, 0.1], [1.0, 2.0]).error == float("inf")
