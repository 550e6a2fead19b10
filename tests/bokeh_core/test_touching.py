"""Who is at a point: synthetic people side by side, apart and touching."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bokeh_core import touching
from tests.bokeh_core.test_subjects import MAIN, PARTNER, inside, scene


def at_point(matte, point):
    """Choose by outline alone: everything is of one colour."""
    return touching.at_point(matte, np.full((*matte.shape, 3), 0.4, np.float32), point)


@pytest.mark.parametrize(
    ("point", "wanted", "other"),
    [((0.5, 0.5), MAIN, PARTNER), ((0.8, 0.5), PARTNER, MAIN), ((0.99, 0.9), PARTNER, MAIN)],
)
def test_a_point_chooses_the_person_there_or_the_nearest(point, wanted, other):
    matte = at_point(scene(MAIN, PARTNER)[0], point)
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
        chosen = at_point(crowd[:, ::-1].copy() if flip else crowd, point)
        chosen = chosen[:, ::-1] if flip else chosen
        assert chosen[own & ~other].mean() > 0.95
        assert chosen[other & ~own].mean() < 0.05


@pytest.mark.parametrize("who", [0, 1])
def test_who_was_chosen_ends_at_their_own_outline(who):
    """An arm in front of the other one is told by its colour, which a straight cut cannot."""
    crowd = figures((120, 40, 160), (166, 40, 160))
    arm = np.zeros((240, 320), np.uint8)
    cv2.line(arm, (130, 110), (152, 110), 1, 10)
    left = (np.arange(320) < 143)[None] | (arm > 0)
    crowd = np.maximum(crowd, arm)
    colours = np.where(left[..., None], (0.8, 0.3, 0.3), (0.3, 0.4, 0.8)).astype(np.float32)
    point = ((120, 166)[who] + 0.5) / 320, 60.5 / 240
    chosen = touching.at_point(crowd, colours, point)
    own = crowd * (left if who == 0 else ~left)
    wrong = np.abs(chosen - own).sum()
    assert wrong < 0.02 * own.sum()
    assert np.abs(chosen - own)[105:116, 144:150].mean() < 0.1


def test_the_middle_one_of_three_is_kept():
    crowd = figures((100, 40, 160), (146, 60, 140), (190, 40, 160))
    chosen = at_point(crowd, (146.5 / 320, 90.5 / 240))
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
        np.testing.assert_array_equal(at_point(person, point), person)


def test_who_was_chosen_keeps_a_soft_rim():
    soft = cv2.GaussianBlur(figures((110, 40, 160), (230, 40, 160)), (0, 0), 3)
    chosen = at_point(soft, (0.34, 0.5))
    np.testing.assert_array_equal(chosen[:, :150], soft[:, :150])


def test_a_strand_painted_beside_somebody_stays_and_is_nobody():
    matte = figures((110, 40, 160), (230, 40, 160))
    matte[80, 60:80] = 1  # apart from the left one
    chosen = at_point(matte, (62.5 / 320, 80.5 / 240))
    np.testing.assert_array_equal(chosen[:, :150], matte[:, :150])
    assert chosen[:, 200:].max() == 0


def test_a_point_without_anybody_gives_an_empty_matte():
    assert at_point(scene()[0], (0.2, 0.2)).max() == 0


@pytest.mark.parametrize("point", [(0.5, 0.5), (0.8, 0.5)])
def test_at_the_size_of_a_photo_the_same_person_is_kept(point, monkeypatch):
    matte, _ = scene(MAIN, PARTNER)
    monkeypatch.setattr(touching, "DECIDED_SIDE", max(matte.shape) // 2)
    told = []
    grey = np.full((*matte.shape, 3), 0.2, np.float32)
    full = touching.full_at_point(matte, grey, point, lambda _, fraction: told.append(fraction))
    assert np.abs(full - at_point(matte, point)).max() < 0.05
    assert told == sorted(told)
    assert told[-1] == 1


def test_everybody_is_told_apart_the_largest_first():
    crowd = figures((60, 20, 200), (170, 60, 160), (224, 62, 154))
    labels = touching.each_one(crowd, np.full((*crowd.shape, 3), 0.4, np.float32))
    assert labels.max() == 3
    assert not labels[crowd == 0].any()
    sizes = np.bincount(labels.ravel())[1:]
    assert list(sizes) == sorted(sizes, reverse=True)
    heads = [labels[20 + 25, 60], labels[60 + 20, 170], labels[60 + 20, 224]]
    assert len(set(heads)) == 3
    for label in range(1, 4):
        x, y = touching.innermost((labels == label).astype(np.uint8))
        assert labels[y, x] == label


def test_several_points_keep_several_people():
    matte = scene(MAIN, PARTNER)[0]
    rgb = np.full((*matte.shape, 3), 0.2, np.float32)
    both = touching.full_at_points(matte, rgb, [(0.5, 0.5), (0.8, 0.5)], lambda *_: None)
    assert inside(both, MAIN) == inside(both, PARTNER) == 1
    one = touching.full_at_points(matte, rgb, [(0.8, 0.5)], lambda *_: None)
    assert (inside(one, MAIN), inside(one, PARTNER)) == (0, 1)


def test_nobody_has_no_labels():
    empty = np.zeros((24, 32), np.float32)
    assert not touching.each_one(empty, np.full((24, 32, 3), 0.4, np.float32)).any()
