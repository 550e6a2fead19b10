"""Two dialogs share the daemon: neither waits until the other is left alone."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def facts(play):
    """What came to whom."""
    return play("two_gimp.py").read("facts")


def test_both_get_previews_while_one_asks_without_pause(facts):
    assert facts["failures"] == [[], []]
    assert len(facts["rounds"]) == 3
    assert min(facts["rounds"]) >= 1


def test_each_gets_those_of_its_own_photo(facts):
    assert facts["own"] == [True, True]
