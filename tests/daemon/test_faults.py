"""The fault table with small counts: every row runs, and nothing is lost."""

from __future__ import annotations

import pytest

from daemon.faults import table
from daemon.faults.row import Row


def name(make):
    return getattr(make, "func", make).__name__ + "-".join(map(str, getattr(make, "args", ())))


pytestmark = pytest.mark.slow
ROWS = [make for make in table.rows(full=False, soak_minutes=0.02) if 0 not in make.args[-1:]]


@pytest.mark.parametrize("make", ROWS, ids=name)
def test_nothing_is_lost(make):
    row = make()
    assert row.tried > 0
    assert row.good, row.examples


def test_the_page_shows_every_row():
    page = table.page([Row("something", tried=1234, note="fine")], "the command")
    assert "| something | 1,234 | 0 | 0 | 0 | 0 | fine |" in page


def test_a_failure_is_not_good():
    row = Row("something")
    row.fail("hung", "example")
    assert not row.good
    assert row.examples == ["hung: example"]
