"""Folders and files that only this user may open, whatever the umask is."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

OTHERS = 0o077


def make(path: Path) -> None:
    """Make a folder, and what is missing above it, with mode 0700."""
    for parent in reversed([path, *path.parents]):
        if not parent.exists():
            parent.mkdir(mode=0o700, exist_ok=True)


def folder(path: Path) -> Path:
    """Make a folder with mode 0700, or close the one that is there.

    Raises
    ------
    PermissionError
        It, or the link that leads to it, belongs to another user.
    """
    make(path)
    if os.name == "posix":
        check_owner(path)
        if stat.S_IMODE(path.stat().st_mode) & OTHERS:
            path.chmod(0o700)
    return path


def check_owner(path: Path) -> None:
    """Refuse what is another user's, be it the folder itself or a link that leads to it.

    Raises
    ------
    PermissionError
        It is.
    """
    own = os.getuid()
    if path.stat().st_uid != own or path.lstat().st_uid not in {0, own}:
        raise PermissionError(f"{path} belongs to another user")


def write(path: Path, content: bytes) -> Path:
    """Write a file with mode 0600 in one step: a reader sees the old content or the new."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return path
