"""Writing files so that a reader sees the whole new file or the whole old one, never half."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bokeh_core.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_target(path: Path) -> None:
    """Refuse a target that cannot be written, before any work is done for it.

    Raises
    ------
    OutputError
        No such folder, a folder in its place, or write-protected.
    """
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(f"{folder}: no such folder")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder")
    # the file's own bits count too: replacing needs only the folder's, and root passes any check
    if path.exists() and not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise OutputError(f"{path}: is write-protected")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{folder}: cannot write there")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it takes `path`'s place, else it is gone.

    Raises
    ------
    OutputError
        The system refuses (read-only, disk full ...); the message names the file.
    """
    check_target(path)
    try:
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix
        )
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(_usual_mode(path))
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _usual_mode(path: Path) -> int:
    """Give the mode of the file to be replaced, or what the umask leaves of 0666."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0o022)
    os.umask(umask)
    return 0o666 & ~umask
