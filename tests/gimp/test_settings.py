"""The window of Settings and Status, at the keyboard."""

from __future__ import annotations

import contextlib
import json

import pytest

from tests.gimp.conftest import Gimp

COMMAND = """\
import json, sys
if sys.argv[1:] == ["settings", "--json"]:
    print(json.dumps({"device": "%s", "cache_mb": 2048, "idle": 900.0, "at_login": False}))
else:
    with open("%s", "a") as told:
        print(*sys.argv[1:], file=told)
"""


@contextlib.contextmanager
def answering(gimp, device):
    """Let a command answer that writes down what it is told: the program is not in GIMP's world."""
    command = gimp.out / "command.py"
    command.write_text(COMMAND % (device, gimp.out / "told"))
    launcher = gimp.plugin / "launcher.json"
    launcher.write_text(json.dumps({"command": ["python3", str(command), "start"]}))
    try:
        yield
    finally:
        launcher.unlink()


@pytest.fixture
def played(root, home, tmp_path):
    """The window, without a daemon."""
    (tmp_path / "run").mkdir()
    gimp = Gimp(root, tmp_path, home, tmp_path / "run")
    with answering(gimp, device="cuda:1"):
        gimp.desktop("settings_desk.py", "settings_gimp.py")
    return tmp_path


def test_what_is_chosen_is_set(played):
    assert (played / "told").read_text().splitlines() == [
        "settings --device=cuda:1 --cache-mb=512 --idle=900",
        "service install",
    ]
