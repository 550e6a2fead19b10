"""Who does the work of the command line, and when a daemon stays behind."""

import os

import pytest

from daemon.cli import backend
from daemon.wire import discovery
from tests.reliability.sandbox import sandbox, wait_for


@pytest.mark.parametrize(
    ("surroundings", "terminal", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"CI": "true"}, True, False),
        ({"DEFOCUS_DAEMON": "0"}, True, False),
        ({"DEFOCUS_DAEMON": "1"}, False, True),
        ({"DEFOCUS_DAEMON": "1", "DEFOCUS_REMOTE": "box:5858"}, True, False),
    ],
)
def test_a_daemon_is_left_behind_for_people_only(monkeypatch, surroundings, terminal, expected):
    for name in ("CI", "DEFOCUS_DAEMON", "DEFOCUS_REMOTE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "isatty", lambda _: terminal)
    assert backend.leaves_a_daemon() is expected


def test_a_daemon_ends_after_its_time_without_work():
    with sandbox("tests.reliability.engine", "--leave", "0.5") as place:
        place.start()
        wait_for(lambda: discovery.find(place.directory) is None, 30, "the daemon's end")
