"""Which pictures an evaluation is about."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from bokeh_core.errors import InputError
from bokeh_core.evaluation.network_report import Plan, choose


@pytest.fixture
def data(tmp_path):
    """Eight pictures with depth, the last two with a mask as well."""
    for index in range(8):
        cv2.imwrite(str(tmp_path / f"{index}.jpg"), np.zeros((12, 8, 3), np.uint8))
        cv2.imwrite(str(tmp_path / f"{index}_depth.png"), np.zeros((12, 8), np.uint8))
    for index in (6, 7):
        cv2.imwrite(str(tmp_path / f"{index}_mask.png"), np.zeros((12, 8), np.uint8))
    return tmp_path


@pytest.mark.parametrize(("task", "names"), [("portrait", ["6", "7"]), ("depth", ["0", "1", "2"])])
def test_the_limit_counts_pictures_with_a_label_of_the_task(data, task, names):
    chosen = choose(Plan(task, data, everything=True, limit=3))
    assert [item.name for item in chosen] == names


def test_masks_known_to_be_wrong_are_not_scored_but_their_depth_is(data):
    *_, wrong, right = choose(Plan("depth", data, everything=True))
    plan = Plan("portrait", data, everything=True, unknown=frozenset({wrong.key}))
    assert [item.key for item in choose(plan)] == [right.key]
    assert wrong.key in {item.key for item in choose(replace(plan, task="depth"))}


def test_no_label_of_the_task_is_said(data):
    for mask in data.glob("*_mask.png"):
        mask.unlink()
    with pytest.raises(InputError, match="none of the pictures has a mask"):
        choose(Plan("portrait", data, everything=True))
