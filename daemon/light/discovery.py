"""Where the daemon is: connection files written by it, and whose they are."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

FILE_NAME = "connection.json"


@dataclass(frozen=True)
class Connection:
    """The part of a connection file that a client needs."""

    work: str
    control: str
    token: str
    program: str = ""


def known(plugin: Path) -> list[Connection]:
    """Return the daemons that this user's connection files speak of, latest file first.

    A file may be stale: whether somebody answers there is for the caller to find out.

    Parameters
    ----------
    plugin
        The plug-in's folder, which daemons leave a copy in.
    """
    dated = []
    for folder in folders(plugin):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            if folder != plugin and not _is_own(folder):
                continue
            with (folder / FILE_NAME).open(encoding="utf-8") as file:
                fields, kept = json.load(file), os.fstat(file.fileno())
            found = Connection(
                work=str(fields["work"]),
                control=str(fields["control"]),
                token=str(fields["token"]),
                program=str(fields.get("program", "")),
            )
            if sys.platform == "win32" or kept.st_uid == os.getuid():
                dated.append((kept.st_mtime, found))
    latest_first = [found for _, found in sorted(dated, key=lambda pair: -pair[0])]
    return list(dict.fromkeys(latest_first))


def folders(plugin: Path) -> list[Path]:
    """Where a connection file may lie: beside the plug-in, or in the user's runtime directory."""
    own = os.environ.get("DEFOCUS_RUNTIME_DIR")
    if own:
        return [Path(own)]
    if sys.platform == "win32":
        return [plugin, Path(os.environ.get("LOCALAPPDATA", "")) / "Temp" / "defocus"]
    if sys.platform == "darwin":
        return [plugin, Path.home() / "Library/Caches/TemporaryItems/defocus"]
    system = [Path(f"/run/user/{os.getuid()}")]
    if os.environ.get("XDG_RUNTIME_DIR"):
        system.insert(0, Path(os.environ["XDG_RUNTIME_DIR"]))
    if not any(map(_is_private, system)):  # only then the daemon takes a temporary one
        system.append(Path(tempfile.gettempdir()) / f"runtime-{os.getuid()}")
    return [plugin, *(folder / "defocus" for folder in system)]


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
    if sys.platform == "win32":
        return True
    found, above = folder.stat(), folder.parent.stat()
    closed = not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return closed and found.st_uid == os.getuid() and above.st_uid in {0, os.getuid()}
