"""Where the daemon is: connection files written by it, and how to start it when there is none."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gimp_plugin.errors import NoDaemon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = Path(__file__).resolve().parent
FILE_NAME = "connection.json"
LAUNCHER = FOLDER / "launcher.json"


@dataclass(frozen=True)
class Connection:
    """The part of a connection file that a client needs."""

    work: str
    control: str
    token: str


def known() -> list[Connection]:
    """Give the daemons that this user's connection files speak of, latest file first.

    A file may be stale: whether somebody answers there is for the caller to find out.
    """
    dated = []
    for folder in _folders():
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            if not _is_own(folder):
                continue
            with (folder / FILE_NAME).open(encoding="utf-8") as file:
                fields, kept = json.load(file), os.fstat(file.fileno())
            found = Connection(str(fields["work"]), str(fields["control"]), str(fields["token"]))
            if sys.platform == "win32" or kept.st_uid == os.getuid():
                dated.append((kept.st_mtime, found))
    latest_first = [found for _, found in sorted(dated, key=lambda pair: -pair[0])]
    return list(dict.fromkeys(latest_first))


@contextlib.contextmanager
def launch() -> Iterator[Callable[[], None]]:
    """Start the daemon with the command that install.py recorded in `launcher.json`.

    Yields
    ------
    callable
        Raises NoDaemon, with the command's own last words, once it has failed.

    Raises
    ------
    NoDaemon
        There is no such record, or this GIMP may not start programs of the system (Flatpak).
    """
    command = _command()
    environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME"}}
    with tempfile.TemporaryFile() as complaints:  # a file never fills up as a pipe does
        try:
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                start_new_session=True,
            )
        except OSError as error:
            raise NoDaemon(
                f"The Bokeh daemon is not running and GIMP could not start it ({error.strerror}). "
                f"Type `{' '.join(command)}` in a terminal, then try again."
            ) from error

        def check() -> None:
            if process.poll() in {None, 0}:
                return
            complaints.seek(0)
            words = complaints.read().decode(errors="replace").strip().splitlines() or ["no reason"]
            raise NoDaemon(
                f"The Bokeh daemon could not be started: {words[-1].removeprefix('defocus: ')}. "
                "Run `defocus doctor` in a terminal: it says how to mend it."
            )

        threading.Thread(target=process.wait, daemon=True).start()  # the command leaves no zombie
        yield check


def _command() -> list[str]:
    try:
        record = json.loads(LAUNCHER.read_text(encoding="utf-8"))
        return [str(word) for word in record["command"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise NoDaemon(
            "The Bokeh daemon is not running and the plug-in does not know how to start it. "
            "Run `python3 install.py` in the defocus folder, it mends the plug-in."
        ) from None


def _folders() -> list[Path]:
    """Where a connection file may lie: beside the plug-in, or in the user's runtime directory."""
    own = os.environ.get("DEFOCUS_RUNTIME_DIR")
    if own:
        return [Path(own)]
    if sys.platform == "win32":
        return [FOLDER, Path(os.environ.get("LOCALAPPDATA", "")) / "Temp" / "defocus"]
    if sys.platform == "darwin":
        return [FOLDER, Path.home() / "Library/Caches/TemporaryItems/defocus"]
    system = [Path(f"/run/user/{os.getuid()}")]
    if os.environ.get("XDG_RUNTIME_DIR"):
        system.insert(0, Path(os.environ["XDG_RUNTIME_DIR"]))
    if not any(map(_is_private, system)):  # only then the daemon takes a temporary one
        system.append(Path(tempfile.gettempdir()) / f"runtime-{os.getuid()}")
    return [FOLDER, *(folder / "defocus" for folder in system)]


def _is_private(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    closed = stat.S_ISDIR(found.st_mode) and found.st_mode & 0o777 == 0o700
    return closed and found.st_uid == os.getuid()


def _is_own(folder: Path) -> bool:
    """Whether nobody else can have put a file there.

    On a shared machine anybody can make a folder in /tmp, and name a daemon of his own in it: it
    would be sent the photos. Who can write beside the plug-in can change the plug-in itself.
    """
    if sys.platform == "win32" or folder == FOLDER:
        return True
    found, above = folder.stat(), folder.parent.stat()
    closed = not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return closed and found.st_uid == os.getuid() and above.st_uid in {0, os.getuid()}
