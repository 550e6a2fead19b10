"""Tables of scores: means over what is known, nothing made up for what is not."""

from __future__ import annotations

import math

import pytest

from bokeh_core.evaluation import network_scores
from bokeh_core.evaluation.depth_metrics import DepthScore
from bokeh_core.training.layouts import NyuItem


def rated(*pairs):
    return [
        (NyuItem("nyu", f"{index}", None, index), DepthScore(0.9, pairs, 0.1, 0.8, 0.9, 1.0))
        for index, pairs in enumerate(pairs)
    ]


def test_a_mean_is_over_the_pictures_that_have_the_score():
    (row,) = network_scores.table(rated(0.5, math.nan, 0.7))
    assert row.pictures == 3
    assert row.means["subject_pairs"] == pytest.approx(0.6)
    assert row.means["rank"] == row.worst == pytest.approx(0.9)


def test_a_score_that_no_picture_has_is_a_dash():
    rows = network_scores.table(rated(math.nan, math.nan))
    assert math.isnan(rows[0].means["subject_pairs"])
    assert "| 0.9000 | 0.9000 | - | 0.1000 |" in network_scores.as_markdown(rows)
