"""Set up before any test module imports torch."""

from __future__ import annotations

import gc
import os
import re

import pytest

# torch's threads spin while they wait, which makes tests on a busy machine 20 times as slow
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["DEFOCUS_DATA_DIR"] = f"{os.devnull}/defocus"  # no test sees the user's own weights
os.environ.setdefault("DEFOCUS_DAEMON", "0")  # at a terminal, no test leaves one behind


@pytest.fixture
def own_models(tmp_path, monkeypatch):
    """An empty folder for the user's own weights."""
    monkeypatch.setenv("DEFOCUS_DATA_DIR", str(tmp_path / "user"))
    return tmp_path / "user" / "models"


PLAYED = re.compile(r"tests/(gimp|krita)/[^[]*(\[gimp-[\d.]+)?")
"""Tests that play in a real editor, and mostly wait."""


def pytest_collection_modifyitems(items):
    """Begin with the editors, so that what computes fills the cores beside them."""
    items.sort(key=lambda item: not PLAYED.match(item.nodeid))


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config, log):
    """Keep what shares a fixture on one core of `pytest -n`: a module, or all tests of an editor.

    xdist's own groups are without effect under pytest 9.2: it renames tests to say the group, and
    their names are fixed there.
    """
    from xdist.scheduler.loadscope import LoadScopeScheduling

    class ByEditor(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            played = PLAYED.match(nodeid)
            if played and (played[1] == "krita" or played[2]):
                return played[2] or played[1]
            return nodeid.partition("::")[0]

    return ByEditor(config, log)


def pytest_collection_finish():
    """Leave what was imported out of every later collection: each took half a second of it."""
    gc.collect()
    gc.freeze()
