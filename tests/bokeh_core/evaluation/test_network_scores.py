"""Tables of scores: means over what is known, nothing made up for what is not."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from bokeh_core.errors import InputError
from bokeh_core.evaluation import network_scores
from bokeh_core.evaluation.depth_metrics import DepthScore
from bokeh_core.training import layouts
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


@pytest.mark.parametrize("rate", [network_scores.rate_mattes, network_scores.rate_depths])
def test_a_photo_that_is_too_small_is_named(tmp_path, rate):
    cv2.imwrite(str(tmp_path / "tiny.jpg"), np.zeros((12, 40, 3), np.uint8))
    for label in ("mask", "depth"):
        cv2.imwrite(str(tmp_path / f"tiny_{label}.png"), np.zeros((12, 40), np.uint8))
    with pytest.raises(InputError, match=r"/tiny: .*at least 16 pixels"):
        rate(layouts.find(tmp_path), lambda rgb: rgb[..., 0], lambda _: None)


def test_a_mask_at_another_size_than_its_photo_is_scored(tmp_path):
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((60, 40, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "a_mask.png"), np.full((30, 20), 255, np.uint8))
    ((_, score),) = network_scores.rate_mattes(
        layouts.find(tmp_path), lambda rgb: np.ones(rgb.shape[:2], np.float32), lambda _: None
    )
    assert score.iou == 1
