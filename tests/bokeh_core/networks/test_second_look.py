"""Closer looks: where somebody is small, and never where they would change what is settled."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bokeh_core.networks import inference, second_look
from bokeh_core.networks.second_look import Box

SHAPE = (90, 120)


def somebody(top, bottom, left, right, value=1.0):
    plane = np.zeros(SHAPE, np.float32)
    plane[top:bottom, left:right] = value
    return plane


NOBODY = somebody(0, 0, 0, 0)


def test_somebody_large_needs_no_closer_look():
    assert second_look.boxes(somebody(10, 85, 40, 80), NOBODY) == []


@pytest.mark.parametrize(
    ("people", "of_small"),
    [
        (somebody(10, 85, 40, 80), False),
        (somebody(50, 70, 30, 38), True),
        (somebody(10, 85, 40, 80) + somebody(50, 70, 5, 12), False),
        (NOBODY, False),
    ],
)
def test_only_a_picture_of_small_people_is_spared_the_smaller_look(people, of_small):
    assert second_look.is_of_small_people(people) == of_small


def test_a_smaller_look_has_half_a_say_in_mattes_and_none_in_the_disparity(monkeypatch):
    """The network is replaced by one that answers with the size it is shown."""

    def says_size(net, image):
        high, wide = image.shape[2:]
        value = wide / 1000
        mattes = torch.full((1, 2, high // 2, wide // 2), value)
        return mattes, torch.full((1, 1, high // 4, wide // 4), value)

    monkeypatch.setattr(inference, "_forward", says_size)
    seen = inference.predict(np.full((352, 352, 3), 0.2, np.float32))
    np.testing.assert_allclose(seen.matte, (0.352 + 0.256) / 2, atol=1e-6)
    np.testing.assert_allclose(seen.animals, (0.352 + 0.256) / 2, atol=1e-6)
    np.testing.assert_allclose(seen.disparity, 0.352, atol=1e-6)
    once = inference.predict(np.full((352, 352, 3), 0.2, np.float32), closer=False)
    np.testing.assert_allclose(once.matte, 0.352, atol=1e-6)


def test_a_small_person_is_looked_at_with_surroundings():
    (box,) = second_look.boxes(somebody(50, 70, 30, 38), NOBODY)
    assert box.left < 30 / 120 < 38 / 120 < box.right
    assert box.top < 50 / 90 < 70 / 90 < box.bottom
    rows, columns = box.of(SHAPE)
    assert 40 <= rows.stop - rows.start <= 60
    assert 40 <= columns.stop - columns.start <= 60


def test_people_side_by_side_share_a_look_and_there_are_two_at_most():
    pair = somebody(50, 70, 30, 38) + somebody(52, 70, 44, 50)
    assert len(second_look.boxes(pair, NOBODY)) == 1
    crowd = sum(somebody(40, 52, x, x + 5) for x in (4, 40, 76, 110))
    assert len(second_look.boxes(crowd, NOBODY)) == second_look.MOST


@pytest.mark.parametrize("flip", [False, True])
def test_boxes_stay_in_the_picture(flip):
    for place in [(0, 12, 0, 5), (78, 90, 115, 120), (40, 55, 116, 120)]:
        plane = somebody(*place)
        for box in second_look.boxes(plane.T if flip else plane, NOBODY.T if flip else NOBODY):
            assert 0 <= box.left < box.right <= 1
            assert 0 <= box.top < box.bottom <= 1


def test_where_nobody_is_both_halves_are_searched_unless_an_animal_is_there():
    assert len(second_look.boxes(NOBODY, NOBODY)) == 2
    assert second_look.boxes(NOBODY, somebody(20, 60, 20, 70)) == []


def test_outside_its_boxes_a_closer_look_changes_nothing():
    rng = np.random.default_rng(3)
    people = rng.random(SHAPE).astype(np.float32)
    box = Box(0.25, 0.5, 0.5, 1.0)
    found = second_look.merged(people, [(box, np.ones((45, 30), np.float32))])  # as fine as before
    assert found.shape == SHAPE
    changed = found != people
    rows, columns = box.of(SHAPE)
    assert changed[rows, columns].mean() > 0.9
    changed[rows, columns] = False
    assert not changed.any()
    middle = found[80, 45]  # no feather towards the picture's own frame
    assert middle == pytest.approx((people[80, 45] + 1) / 2)


def test_mattes_become_as_fine_as_the_closest_look_within_bounds():
    box = Box(0.4, 0.4, 0.6, 0.6)
    fine = np.ones((90, 90), np.float32)
    assert second_look.merged(NOBODY, [(box, fine)]).shape == (338, 450)
    finest = second_look.merged(NOBODY, [(box, np.ones((900, 900), np.float32))])
    assert max(finest.shape) == second_look.FINEST


def test_who_was_doubtful_is_found_and_an_animal_stays_one():
    people = somebody(50, 70, 30, 38, 0.4)
    animals = somebody(50, 70, 44, 54)
    looked = []

    def look(part):
        looked.append(part.shape)
        return np.ones((64, 64), np.float32)

    found, pets = second_look.again(np.zeros((900, 1200, 3), np.float32), people, animals, look)
    assert len(looked) == 1
    assert max(looked[0]) < 700
    assert found.shape == pets.shape
    scale = found.shape[0] / SHAPE[0]
    assert found[int(60 * scale), int(34 * scale)] > 0.6
    assert found[int(60 * scale), int(49 * scale)] == 0
    assert pets[int(60 * scale), int(49 * scale)] == 1


def test_without_a_need_nothing_is_looked_at():
    people = somebody(5, 90, 30, 80)
    same, animals = second_look.again(np.zeros((9, 12, 3), np.float32), people, NOBODY, None)
    assert same is people
    assert animals is NOBODY
