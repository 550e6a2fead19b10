"""How the daemon is started, noted where every program of this user can read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from daemon.runtime import private
from daemon.runtime.child_process import own_module
from daemon.setup.places import ROOT

if TYPE_CHECKING:
    from daemon.setup.environment import Environment
    from daemon.setup.places import Places

FILE_NAME = "launcher.json"


def content(environment: Environment) -> str:
    """Return the note: a command that ends as soon as a daemon can be found, and whose it is."""
    command = own_module("daemon.cli.main", "daemon", "start", python=environment.python)
    return json.dumps({"command": command, "root": str(ROOT)})


def write(places: Places, environment: Environment) -> None:
    """Put the note among the user's settings, in one step."""
    private.write(private.folder(places.config()) / FILE_NAME, content(environment).encode())


def fault(places: Places, environment: Environment) -> str:
    """Say what is wrong with the note; empty when nothing is."""
    place = places.config() / FILE_NAME
    try:
        same = place.read_text(encoding="utf-8") == content(environment)
    except OSError:
        return f"{place} is missing: other programs do not know how to start the daemon"
    return "" if same else f"{place} starts another copy of defocus"
