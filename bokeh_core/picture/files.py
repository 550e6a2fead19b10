"""Writing files so that a reader sees the whole new file or the whole old one, never half."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bokeh_core.errors import OutputError, reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO


def check_target(path: Path) -> None:
    """Refuse a target that cannot be written, before any work is done for it.

    Raises
    ------
    OutputError
        No such folder, a folder in its place, a name that is too long, or write-protected.
    """
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(f"{folder}: no such folder")
    try:
        # the file's own bits count too: replacing needs only the folder's, and root passes any
        protected = not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    except FileNotFoundError:
        protected = False
    except OSError as error:
        raise OutputError(f"{path}: {reason(error)}") from error
    if path.is_dir():
        raise OutputError(f"{path}: is a folder")
    if protected:
        raise OutputError(f"{path}: is write-protected")
    if not os.access(folder, os.W_OK):
        refused = PermissionError(errno.EACCES, "cannot write there")
        raise OutputError(f"{folder}: {reason(refused)}")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Yield a new file beside `path` to write into; on success it takes `path`'s place.

    All is done through its descriptor, and its name is looked at before and after the exchange: in
    a folder that others may write to, a link put in its place changes no other file.

    Raises
    ------
    OutputError
        The system refuses (read-only, disk full ...), or another program took the new file away;
        the message names the file.
    """
    check_target(path)
    try:
        # a name of its own: beside the target's a legal name may become longer than allowed
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".defocus-", suffix=".part")
    except OSError as error:
        raise OutputError(f"{path}: {reason(error)}") from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), _usual_mode(path))
            written = os.fstat(file.fileno())
        _check_same(temporary, written, path)
        temporary.replace(path)
        _check_same(path, written, path)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{path}: {reason(error)}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _check_same(place: Path, written: os.stat_result, path: Path) -> None:
    """Refuse when a name does not stand for the file that was written."""
    found = place.lstat()
    if (found.st_dev, found.st_ino) != (written.st_dev, written.st_ino):
        raise OutputError(f"{path}: another program changed the file while it was written")


def _usual_mode(path: Path) -> int:
    """Return the mode of the file to be replaced, or what the umask leaves of 0666."""
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        if stat.S_ISREG(found.st_mode):
            return stat.S_IMODE(found.st_mode)
    umask = os.umask(0o022)
    os.umask(umask)
    return 0o666 & ~umask
