"""The `defocus` command: a small script in the environment, and a link to it on the user's PATH."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from daemon.runtime.child_process import ENTRY, own_module
from daemon.setup.places import ROOT, present

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.setup.environment import Environment
    from daemon.setup.places import Places

MAIN = "daemon.cli.main"


def write_command(environment: Environment) -> None:
    """Put the command into the environment, and make this copy importable in it."""
    site = next(iter(environment.folder.glob("[Ll]ib*/**/site-packages")))
    # a line of code, since a plain path is read in the locale's encoding by older Pythons
    _replace(site / "defocus.pth", f"import sys; sys.path.append({str(ROOT)!a})\n")
    _replace(environment.command, script(environment))
    environment.command.chmod(0o755)


def script(environment: Environment) -> str:
    """Return the command's text for this system: any character may be in the folders' names."""
    if os.name == "nt":
        # places from the script's own: nothing in a name is special to it
        entry = os.path.relpath(ENTRY, environment.bin)
        return f'@"%~dp0python.exe" -I "%~dp0{entry}" {MAIN} %*\r\n'
    words = shlex.join(own_module(MAIN, python=environment.python))
    return f'#!/bin/sh\nexec {words} "$@"\n'


def wanted_link(places: Places, environment: Environment) -> Path | None:
    """Return the link that is to be made or turned: where the name is free, or is a defocus's."""
    link = places.command_link() if (ROOT / "install.py").exists() else None  # else pipx's affair
    if link is None or points_here(link, environment):
        return None
    return link if not present(link) or is_ours(link) else None


def points_here(link: Path, environment: Environment) -> bool:
    """Whether a link leads to the command of this environment."""
    return link.is_symlink() and link.readlink() == environment.command


def is_ours(link: Path) -> bool:
    """Whether a link leads to the command of some copy of defocus, be it gone."""
    return link.is_symlink() and link.readlink().parts[-3:] == (".venv", "bin", "defocus")


def make_link(link: Path, environment: Environment) -> None:
    """Make the link, or turn one of another copy."""
    link.unlink(missing_ok=True)
    link.symlink_to(environment.command)


def command_fault(environment: Environment) -> str:
    """Say what is wrong with the command itself; empty when nothing is."""
    if not (ROOT / "install.py").exists() or not environment.folder.exists():
        return ""  # pip's affair, or told as the environment's fault
    try:
        same = environment.command.read_text(encoding="utf-8") == script(environment)
    except OSError:
        return f"{environment.command} is missing"
    return "" if same else f"{environment.command} starts what lies in another place"


def link_fault(places: Places, environment: Environment) -> str:
    """Say what is wrong with the link on the PATH; empty when nothing is."""
    link = places.command_link()
    own = (ROOT / "install.py").exists()  # else whoever put the package there made the command
    if not own or link is None or not present(link) or points_here(link, environment):
        return ""
    if not is_ours(link):
        return f"{link} is not this program's: the command is {environment.command}"
    target = link.readlink()
    return f"{link} leads to {'the copy in' if target.exists() else 'what is gone,'} {target}"


def _replace(path: Path, text: str) -> None:
    """Write a file anew: the old one may be linked to that of another environment."""
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")
