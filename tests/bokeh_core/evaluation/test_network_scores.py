"""Tables of scores: means over what is known, nothing made up for what is not."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from bokeh_core.errors import InputError
from bokeh_core.evaluation import network_scores
from bokeh_core.evaluation.depth_metrics import DepthScore
from bokeh_core.evaluation.network_scores import Mattes
from bokeh_core.training import layouts
from bokeh_core.training.items import NyuItem


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


def all_people(rgb, _=False):
    return Mattes(np.ones(rgb.shape[:2], np.float32), np.zeros(rgb.shape[:2], np.float32))


@pytest.mark.parametrize(
    ("rate", "estimate"),
    [
        (network_scores.rate_mattes, all_people),
        (network_scores.rate_depths, lambda rgb: rgb[..., 0]),
    ],
)
def test_a_photo_that_is_too_small_is_named(tmp_path, rate, estimate):
    cv2.imwrite(str(tmp_path / "tiny.jpg"), np.zeros((12, 40, 3), np.uint8))
    for label in ("mask", "depth"):
        cv2.imwrite(str(tmp_path / f"tiny_{label}.png"), np.zeros((12, 40), np.uint8))
    with pytest.raises(InputError, match=r"/tiny: .*at least 16 pixels"):
        rate(layouts.find(tmp_path), estimate, lambda _: None)


def test_a_mask_at_another_size_than_its_photo_is_scored(tmp_path):
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((60, 40, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "a_mask.png"), np.full((30, 20), 255, np.uint8))
    ((_, score),) = network_scores.rate_mattes(layouts.find(tmp_path), all_people, lambda _: None)
    assert score.iou == 1


def test_masks_of_labels_are_of_everybody_and_of_animals(tmp_path):
    codes = np.zeros((40, 40), np.uint8)
    codes[:20], codes[20:30], codes[30:35] = 255, 200, 128
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((40, 40, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "a_mask.png"), codes)
    (tmp_path / "labels.json").write_text(
        '{"mask": {"255": "person", "200": "animal", "128": "unknown", "0": "neither"}}'
    )
    asked = []

    def estimate(_, everybody):
        asked.append(everybody)
        unsure = np.asarray(codes == 128, np.float32)  # found in what is unknown: no matter
        return Mattes(unsure + (codes == 255), unsure + (codes == 200) * (np.arange(40) < 20))

    ((_, score),) = network_scores.rate_mattes(layouts.find(tmp_path), estimate, lambda _: None)
    assert asked == [True]
    assert (score.iou, score.animals, score.found) == (1, 0.5, 1)
