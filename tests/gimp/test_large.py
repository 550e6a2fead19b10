"""Photos of 24 and 45 megapixels open without a dialog that answers nobody meanwhile."""

from __future__ import annotations

import pytest

FROZEN_S = 1.0
"""For so long nobody takes a window for frozen, on a busy machine either."""


@pytest.fixture(scope="module")
def facts(play):
    """What was seen while it opened."""
    return play("large_gimp.py", timeout=360).read("facts")


def test_the_dialog_answers_while_the_photo_is_looked_at(facts):
    assert facts["size"] == [8200, 5500]
    assert facts["failures"] == []
    assert facts["longest"] < FROZEN_S


def test_closing_it_while_the_photo_is_handed_over_takes_a_moment(facts):
    assert facts["handed over"]
    assert facts["closed after"] < FROZEN_S
