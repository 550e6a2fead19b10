"""Who stays in the matte: synthetic people of known size, distance and place."""

from __future__ import annotations

import cv2
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
    matte = subjects.at_point(scene(MAIN, PARTNER)[0], point)
    assert inside(matte, wanted) == 1
    assert inside(matte, other) == 0


def figures(*people):
    """A matte of standing people: (middle, top, size), with a head, shoulders and two legs."""
    matte = np.zeros((240, 320), np.uint8)
    for middle, top, size in people:
        head, body = size // 8, size // 4
        cv2.circle(matte, (middle, top + head), head, 1, -1)
        cv2.ellipse(
            matte, (middle, top + size // 2), (body // 2 + 4, size * 2 // 7), 0, 0, 360, 1, -1
        )
        for side in (-1, 1):
            foot = middle + side * body // 2
            cv2.line(matte, (middle, top + size // 2), (foot, top + size), 1, body // 2)
    return matte.astype(np.float32)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("apart", [42, 48, 54])
def test_people_who_touch_are_told_apart(apart, flip):
    middles = (120, 120 + apart)
    crowd = figures(*((middle, 40, 160) for middle in middles))
    alone = [figures((middle, 40, 160)) > 0 for middle in middles]
    assert (
        cv2.connectedComponents((crowd > 0).astype(np.uint8))[0] == 2
    )  # the ground and one island
    for middle, own, other in zip(middles, alone, alone[::-1], strict=True):
        point = ((middle + 0.5) / 320, 60.5 / 240)
        if flip:
            point = (1 - point[0], point[1])
        chosen = subjects.at_point(crowd[:, ::-1].copy() if flip else crowd, point)
        chosen = chosen[:, ::-1] if flip else chosen
        assert chosen[own & ~other].mean() > 0.95
        assert chosen[other & ~own].mean() < 0.05


def test_the_middle_one_of_three_is_kept():
    crowd = figures((100, 40, 160), (146, 60, 140), (190, 40, 160))
    chosen = subjects.at_point(crowd, (146.5 / 320, 90.5 / 240))
    assert chosen[60:, 138:154][crowd[60:, 138:154] > 0].mean() == 1
    assert chosen[:, :110].max() == 0
    assert chosen[:, 182:].max() == 0


def with_arm_up(matte):
    cv2.line(matte, (170, 110), (205, 100), 1, 12)
    cv2.line(matte, (205, 100), (205, 40), 1, 12)
    return matte


@pytest.mark.parametrize(
    "person", [figures((160, 30, 200)), with_arm_up(figures((160, 40, 190)))], ids=["legs", "hand"]
)
@pytest.mark.parametrize("row", [0.25, 0.5, 0.8])
def test_one_person_is_never_cut(person, row):
    """Not at legs apart, nor at a raised hand; at their face as at their feet."""
    columns = np.flatnonzero(person[int(row * 240)])
    for column in (columns[0], columns[-1]):
        point = ((column + 0.5) / 320, row)
        np.testing.assert_array_equal(subjects.at_point(person, point), person)


def test_who_was_chosen_keeps_a_soft_rim():
    soft = cv2.GaussianBlur(figures((110, 40, 160), (230, 40, 160)), (0, 0), 3)
    chosen = subjects.at_point(soft, (0.34, 0.5))
    np.testing.assert_array_equal(chosen[:, :150], soft[:, :150])


def test_a_strand_painted_beside_somebody_stays_and_is_nobody():
    matte = figures((110, 40, 160), (230, 40, 160))
    matte[80, 60:80] = 1  # apart from the left one
    chosen = subjects.at_point(matte, (62.5 / 320, 80.5 / 240))
    np.testing.assert_array_equal(chosen[:, :150], matte[:, :150])
    assert chosen[:, 200:].max() == 0


def test_a_point_without_anybody_gives_an_empty_matte():
    assert subjects.at_point(scene()[0], (0.2, 0.2)).max() == 0


@pytest.mark.parametrize("point", [(0.5, 0.5), (0.8, 0.5)])
def test_at_the_size_of_a_photo_the_same_person_is_kept(point, monkeypatch):
    matte, _ = scene(MAIN, PARTNER)
    monkeypatch.setattr(subjects, "DECIDED_SIDE", max(matte.shape) // 2)
    told = []
    full = subjects.full_at_point(matte, point, lambda _, fraction: told.append(fraction))
    assert np.abs(full - subjects.at_point(matte, point)).max() < 0.05
    assert told == sorted(told)
    assert told[-1] == 1
