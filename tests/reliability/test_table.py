"""The fault table: every row runs, and nothing is lost.

With small counts; `DEFOCUS_NIGHTLY=1` takes those of the published table and soaks 20 minutes.
"""

from __future__ import annotations

import os

import pytest

from tests.reliability import table
from tests.reliability.__main__ import main
from tests.reliability.row import Row


def name(make):
    return getattr(make, "func", make).__name__ + "-".join(map(str, getattr(make, "args", ())))


pytestmark = pytest.mark.slow
NIGHTLY = os.environ.get("DEFOCUS_NIGHTLY") == "1"
CHOSEN = table.rows(full=NIGHTLY, soak_minutes=20 if NIGHTLY else 0.02)
ROWS = [make for make in CHOSEN if 0 not in make.args[-1:]]


@pytest.mark.parametrize("make", ROWS, ids=name)
def test_nothing_is_lost(make):
    row = make()
    assert row.tried > 0
    assert row.good, row.examples


def test_the_page_shows_every_row():
    page = table.page([Row("something", tried=1234, note="fine")], "the command")
    assert "| something | 1,234 | 0 | 0 | 0 | 0 | fine |" in page


def test_a_row_that_does_not_exist_is_not_a_pass(capsys):
    assert main(["--quick", "--only", "no_such_row"]) == 2
    said = capsys.readouterr()
    assert "worker_row" in said.err
    assert said.out == ""


def test_a_failure_is_not_good():
    row = Row("something")
    row.fail("hung", "example")
    assert not row.good
    assert row.examples == ["hung: example"]
