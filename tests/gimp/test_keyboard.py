"""Whoever has no mouse comes to everything in the dialog, in the order in which it is read."""

from __future__ import annotations

import itertools

import pytest

PAGES = ["Focus", "Aperture", "Light", "Zones"]


@pytest.fixture(scope="module")
def facts(play):
    """For each page: where the Tab key stops, what it misses, and the underlined letters."""
    return play("keyboard_gimp.py").read("facts")


@pytest.mark.parametrize("page", PAGES)
def test_the_tab_key_comes_to_everything(facts, page):
    assert facts[page]["missed"] == []
    assert len(facts[page]["stops"]) > 20


@pytest.mark.parametrize("page", PAGES)
def test_no_letter_is_underlined_twice(facts, page):
    letters = [letter for letter, _ in facts[page]["letters"]]
    assert len(set(letters)) == len(letters) > 5, facts[page]["letters"]


def before(one, other):
    """Whether one stop is read before another: above it, or left of it in the same row."""
    (x, y), (_, height) = one["at"], one["size"]
    (other_x, other_y), (_, other_height) = other["at"], other["size"]
    same_row = y < other_y + other_height and other_y < y + height
    return x < other_x if same_row else y < other_y


@pytest.mark.parametrize("page", PAGES)
def test_each_column_is_gone_through_downwards(facts, page):
    stops = facts[page]["stops"]
    middle = next(each["at"][0] for each in stops if each["kind"] == "Notebook")
    for column in (
        [s for s in stops if s["at"][0] < middle],
        [s for s in stops if s["at"][0] >= middle],
    ):
        wrong = [(a, b) for a, b in itertools.pairwise(column) if not before(a, b)]
        assert wrong == []
