"""Who is under the pointer, and what a click makes of the settings."""

from __future__ import annotations

import pytest

from daemon.light.dialog import back_to_the_subject, clicked, kept_people
from daemon.light.errors import ProtocolError
from daemon.light.parameters import Parameters
from daemon.light.people import Person, at

LEFT = Person((0.2, 0.5), ((0.1, 0.1), (0.3, 0.1), (0.3, 0.9), (0.1, 0.9)))
RIGHT = Person((0.7, 0.5), ((0.6, 0.2), (0.8, 0.2), (0.7, 0.9)))
BOTH = (LEFT, RIGHT)


@pytest.mark.parametrize(
    ("x", "y", "who"), [(0.2, 0.2, LEFT), (0.7, 0.4, RIGHT), (0.62, 0.8, None), (0.5, 0.5, None)]
)
def test_who_is_under_the_pointer(x, y, who):
    assert at(BOTH, x, y) is who


def test_a_click_on_a_person_keeps_that_one_whole():
    after = clicked(Parameters(keep_subject_sharp=False), BOTH, 0.7, 0.3, more=False)
    assert kept_people(after, BOTH) == [RIGHT]
    assert (after.focus, after.focus_y) == ("point", 0.3)
    assert after.lens(400, 300)["keep_subject_sharp"]
    assert after.people_points == (RIGHT.point,)


def test_with_shift_people_are_added_and_taken_away():
    one = clicked(Parameters(), BOTH, 0.2, 0.2, more=False)
    two = clicked(one, BOTH, 0.7, 0.3, more=True)
    assert kept_people(two, BOTH) == [LEFT, RIGHT]
    assert (two.focus_x, two.focus_y) == (0.2, 0.2)
    back = clicked(two, BOTH, 0.2, 0.5, more=True)
    assert kept_people(back, BOTH) == [RIGHT]
    assert kept_people(clicked(back, BOTH, 0.7, 0.3, more=True), BOTH) == [RIGHT]


def test_a_click_beside_everybody_moves_the_focus_only():
    after = clicked(Parameters(), BOTH, 0.5, 0.5, more=False)
    assert (after.focus, after.people) == ("point", "main")


def test_one_step_leads_back():
    after = back_to_the_subject(clicked(Parameters(), BOTH, 0.2, 0.2, more=False))
    assert (after.focus, after.people, after.people_points) == ("subject", "main", ())


@pytest.mark.parametrize(
    "text", ["", "1", "a,b", "0.1,0.2,0.3", "2,0.5", "nan,0.1", "0.1,inf", ","]
)
def test_places_that_make_no_sense_are_left_out(text):
    assert Parameters(people="chosen", people_at=text).people_points == ()


@pytest.mark.parametrize(
    "entry",
    [{}, {"point": [0.1, 0.2]}, {"point": [0.1], "outline": []}, {"point": [2, 0], "outline": []}],
)
def test_a_person_that_makes_no_sense_is_refused(entry):
    with pytest.raises(ProtocolError):
        Person.read(entry)
