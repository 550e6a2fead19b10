"""Who is the subject: synthetic people and animals of known size, distance and place."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bokeh_core import subjects
from bokeh_core.networks.inference import Prediction


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
TODDLER = (30, 42, 92, 120, 0.79)
CHILD = (20, 45, 75, 120, 0.8)
PASSER_BY = (120, 132, 60, 95, 0.4)
CROWD = (0, 50, 30, 110, 0.3)


def inside(matte, person):
    left, right, top, bottom, _ = person
    return float(matte[top:bottom, left:right].mean())


@pytest.mark.parametrize("companion", [PARTNER, CHILD, TODDLER])
def test_companions_stay(companion):
    matte = subjects.main_ones(*scene(MAIN, companion))
    assert inside(matte, MAIN) == 1
    assert inside(matte, companion) == 1


@pytest.mark.parametrize("stranger", [PASSER_BY, CROWD])
def test_strangers_behind_are_background(stranger):
    matte = subjects.main_ones(*scene(MAIN, stranger))
    assert inside(matte, MAIN) == 1
    assert inside(matte, stranger) == 0


def test_one_person_alone_is_untouched():
    matte, disparity = scene(MAIN)
    soft = matte * 0.9 + 0.01
    assert subjects.main_ones(soft, disparity) is soft
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


@pytest.mark.parametrize("choose", [subjects.without_specks, lambda m: subjects.main_ones(m, m)])
def test_a_faint_patch_is_nobody(choose):
    matte = np.full((120, 160), 0.01, np.float32)
    matte[40:80, 60:100] = 0.35
    assert choose(matte).max() == 0


def test_the_soft_rim_of_somebody_dropped_goes_with_them():
    matte, disparity = scene(MAIN, PASSER_BY)
    soft = cv2.GaussianBlur(matte, (0, 0), 2)
    kept = subjects.main_ones(soft, disparity)
    assert kept[60:95, 112:140].max() < 0.02
    np.testing.assert_array_equal(kept[:, 60:95], soft[:, 60:95])


def seen(people, animals):
    """What the network would see: scenes of people and of animals, at one disparity."""
    (matte, near), (pets, nearer) = people, animals
    return Prediction(matte, np.maximum(near, nearer), pets)


GREY = np.full((120, 160, 3), 0.2, np.float32)
NONE = scene()
DOG = scene((60, 120, 60, 115, 0.7))
CAT = (10, 30, 90, 115, 0.68)


def test_people_come_before_pets_and_pets_before_nothing():
    both = subjects.choose(seen(scene(MAIN), scene(CAT)), GREY, "main")
    assert inside(both.matte, MAIN) == 1
    assert inside(both.matte, CAT) == 0
    assert both.notes == ()
    dog = subjects.choose(seen(NONE, DOG), GREY, "main")
    np.testing.assert_array_equal(dog.matte, DOG[0])
    assert dog.notes == (subjects.ANIMAL,)
    nothing = subjects.choose(seen(NONE, NONE), GREY, "main")
    assert nothing.matte.max() == 0
    assert nothing.notes == (subjects.NOBODY,)


def test_pets_are_all_animals_and_nobody_else():
    animals = scene(MAIN, CAT)
    pets = subjects.choose(seen(scene(PARTNER), animals), GREY, "pets")
    np.testing.assert_array_equal(pets.matte, animals[0])
    assert pets.notes == ()
    assert subjects.choose(seen(scene(MAIN), NONE), GREY, "pets").notes == (subjects.NO_ANIMAL,)


@pytest.mark.parametrize(("point", "wanted"), [((0.1, 0.9), CAT), ((0.5, 0.5), MAIN)])
def test_a_point_chooses_an_animal_as_well_as_a_person(point, wanted):
    found = subjects.choose(seen(scene(MAIN), scene(CAT)), GREY, "main", point).matte
    assert inside(found, wanted) == 1
    assert found.sum() == scene(wanted)[0].sum()


@pytest.mark.parametrize("people", ["main", "all", "anyone"])
def test_a_ghost_is_nobody(people):
    """Half there beside somebody, hung on them by a haze, or alone."""
    matte, disparity = scene(MAIN)
    ghost = scene(PARTNER)[0]
    hung = np.maximum(matte, 0.58 * ghost)
    hung[100:110, 100:110] = 0.2
    found = subjects.choose(Prediction(hung, disparity, 0 * matte), GREY, people)
    assert inside(found.matte, MAIN) == 1
    assert found.matte[:, 112:].max() == 0
    alone = subjects.choose(Prediction(0.58 * ghost, disparity, 0 * matte), GREY, people)
    assert alone.matte.max() == 0
    assert alone.notes == (subjects.NOBODY,)


def test_somebody_doubtful_is_whole_and_told():
    matte, disparity = scene(MAIN)
    found = subjects.choose(Prediction(0.7 * matte, disparity, 0 * matte), GREY, "main")
    assert inside(found.matte, MAIN) == pytest.approx(1)
    assert found.notes == (subjects.DOUBTFUL,)


def test_somebody_small_is_told():
    small = scene((70, 78, 70, 100, 0.5))
    assert subjects.choose(seen(small, NONE), GREY, "main").notes == (subjects.SMALL,)
    assert subjects.choose(seen(scene(MAIN, PASSER_BY), NONE), GREY, "all").notes == ()
