"""People far away: composed the same each time, of the sizes that are claimed."""

from __future__ import annotations

import numpy as np
import pytest

from bokeh_core.errors import InputError
from bokeh_core.evaluation import small_people
from bokeh_core.evaluation.small_people import PastedItem
from bokeh_core.training.items import Labelled


def person(*, bottom=90):
    mask = np.zeros((96, 72), np.uint8)
    mask[10:bottom, 30:50] = 255
    return PastedItem("mattes", "a", Labelled(np.full((96, 72, 3), 200, np.uint8), mask, None))


def scene(*, somebody=0):
    nothing = np.zeros((150, 200), np.uint8)
    mask = nothing + np.uint8(somebody)
    rgb = np.full((150, 200, 3), 60, np.uint8)
    found = Labelled(rgb, mask, None, animals=nothing, known=nothing + np.uint8(255))
    return PastedItem("labels", "b", found)


def test_the_set_is_the_same_each_time_and_of_the_claimed_sizes():
    items = [person(), scene()]
    first, again = (small_people.compose(items, 20) for _ in range(2))
    heights = []
    for one, two in zip(first, again, strict=True):
        found = one.read()
        np.testing.assert_array_equal(found.rgb, two.read().rgb)
        inside = found.mask > 127
        assert inside.any()
        assert np.abs(found.rgb[inside].astype(int) - 60).mean() > 20  # somebody is to be seen
        heights.append(inside.any(1).sum() / 150)
    assert max(heights) <= small_people.SHARES[1] + 0.01
    assert max(heights) > 0.25


@pytest.mark.parametrize(
    ("items", "lacking"),
    [
        ([person()], "photo of nobody"),
        ([scene()], "whole person"),
        ([person(), scene(somebody=255)], "photo of nobody"),
        ([person(bottom=96), scene()], "whole person"),
    ],
)
def test_both_kinds_of_pictures_are_needed(items, lacking):
    with pytest.raises(InputError, match=lacking):
        small_people.compose(items)
