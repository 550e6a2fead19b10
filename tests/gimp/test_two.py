"""Two dialogs share the daemon: neither waits until the other is left alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.gimp.conftest import Gimp

SAMPLE = Path(__file__).parents[2] / "bokeh_core/samples/astronaut.png"


@pytest.fixture(scope="module")
def facts(root, home, daemon, tmp_path_factory):
    """What came to whom."""
    gimp = Gimp(root, tmp_path_factory.mktemp("two"), home, daemon)
    shutil.copy(SAMPLE, gimp.out / "photo.png")
    gimp.desktop("nobody_desk.py", "two_gimp.py", timeout=240)
    return gimp.read("facts")


def test_both_get_previews_while_one_asks_without_pause(facts):
    assert facts["failures"] == [[], []]
    assert len(facts["rounds"]) == 3
    assert min(facts["rounds"]) >= 1


def test_each_gets_those_of_its_own_photo(facts):
    assert facts["own"] == [True, True]
