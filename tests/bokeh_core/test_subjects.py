"""Who stays in the matte: synthetic people of known size, distance and place."""

from __future__ import annotations

import numpy as np
import pytest

from bokeh_core import subjects


def scene(*people):
    """A street: people are (left, right, top, bottom, disparity)."""
    matte = np.zeros((120, 160), np.float32)
    disparity = np.full((120, 160), 0.1, np.float32)
    for left, right, top, bottom, near in people:
        matte[top:bottom, left:right] = 1
        disparity[top:bottom, left:right] = near
    return matte, disparity


MAIN = (60, 100, 20, 120, 0.8)
PARTNER = (110, 140, 30, 120, 0.78)
CHILD = (20, 45, 75, 120, 0.8)
PASSER_BY = (120, 132, 60, 95, 0.4)
CROWD = (0, 50, 30, 110, 0.3)


def inside(matte, person):
    left, right, top, bottom, _ = person
    return float(matte[top:bottom, left:right].mean())


@pytest.mark.parametrize("companion", [PARTNER, CHILD])
def test_companions_stay(companion):
    matte = subjects.main_people(*scene(MAIN, companion))
    assert inside(matte, MAIN) == 1
    assert inside(matte, companion) == 1


@pytest.mark.parametrize("stranger", [PASSER_BY, CROWD])
def test_strangers_behind_are_background(stranger):
    matte = subjects.main_people(*scene(MAIN, stranger))
    assert inside(matte, MAIN) == 1
    assert inside(matte, stranger) == 0


def test_one_person_alone_is_untouched():
    matte, disparity = scene(MAIN)
    soft = matte * 0.9 + 0.01
    assert subjects.main_people(soft, disparity) is soft
    assert subjects.without_specks(soft) is soft


def test_everybody_means_all_but_specks():
    """Somebody far away is small beside the person in front, and still somebody."""
    far = (140, 145, 40, 55, 0.2)  # 0.4 % of the picture, 2 % of the main person
    matte = subjects.without_specks(scene(MAIN, far)[0])
    assert inside(matte, far) == 1
    speck = (5, 7, 5, 7, 0.3)
    matte = subjects.without_specks(scene(MAIN, PASSER_BY, speck)[0])
    assert inside(matte, PASSER_BY) == 1
    assert inside(matte, speck) == 0


@pytest.mark.parametrize("choose", [subjects.without_specks, lambda m: subjects.main_people(m, m)])
def test_a_faint_patch_is_nobody(choose):
    matte = np.full((120, 160), 0.01, np.float32)
    matte[40:80, 60:100] = 0.35
    assert choose(matte).max() == 0


def test_the_soft_rim_of_somebody_dropped_goes_with_them():
    import cv2

    matte, disparity = scene(MAIN, PASSER_BY)
    soft = cv2.GaussianBlur(matte, (0, 0), 2)
    kept = subjects.main_people(soft, disparity)
    assert kept[60:95, 112:140].max() < 0.02
    np.testing.assert_array_equal(kept[:, 60:95], soft[:, 60:95])


@pytest.mark.parametrize(
    ("point", "wanted", "other"),
    [((0.5, 0.5), MAIN, PARTNER), ((0.8, 0.5), PARTNER, MAIN), ((0.99, 0.9), PARTNER, MAIN)],
)
def test_a_point_chooses_the_person_there_or_the_nearest(point, wanted, other):
    matte = subjects.at_point(*scene(MAIN, PARTNER), point)
    assert inside(matte, wanted) == 1
    assert inside(matte, other) == 0


def test_people_who_overlap_are_told_apart_by_distance():
    behind = (40, 75, 30, 120, 0.4)
    matte, disparity = scene(behind, MAIN)
    chosen = subjects.at_point(matte, disparity, (0.5, 0.5))
    assert inside(chosen, MAIN) > 0.95
    assert inside(chosen, (40, 58, 30, 120, 0)) < 0.1


def test_a_point_on_a_thing_held_in_front_keeps_its_person_and_nobody_else():
    matte, disparity = scene((40, 90, 20, 120, 0.6), PARTNER)
    disparity[20:120, 60] = 0.95
    chosen = subjects.at_point(matte, disparity, (60.5 / 160, 0.5))
    assert chosen[20:120, 62:88].mean() > 0.95
    assert inside(chosen, PARTNER) == 0


def test_a_point_without_anybody_gives_an_empty_matte():
    matte, disparity = scene()
    assert subjects.at_point(matte, disparity, (0.2, 0.2)).max() == 0


@pytest.mark.parametrize("point", [(0.5, 0.5), (0.8, 0.5)])
def test_at_the_size_of_a_photo_the_same_person_is_kept(point, monkeypatch):
    maps = scene(MAIN, PARTNER)
    monkeypatch.setattr(subjects, "DECIDED_SIDE", max(maps[0].shape) // 2)
    told = []
    full = subjects.full_at_point(*maps, point, lambda _, fraction: told.append(fraction))
    assert np.abs(full - subjects.at_point(*maps, point)).max() < 0.05
    assert told == sorted(told)
    assert told[-1] == 1
