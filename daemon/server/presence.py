"""The daemon's claim to be the one of this user: the lock, and the connection file it publishes.

The connection file is a hint, the lock is the truth: whoever holds it is the one daemon of this
user. The file also goes into every folder listed in `announce.json` (the installed plug-ins), so
that a client in a sandbox finds the daemon without knowing the runtime directory.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from filelock import FileLock, Timeout

from daemon.runtime import private
from daemon.wire.discovery import FILE_NAME, config_dir, find, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.wire.discovery import Connection


LOCK_NAME = "daemon.lock"


class AlreadyRunning(Exception):  # the normal end of a lost race
    """Another daemon of this user holds the lock."""


def lock(directory: Path, *, wait_s: float = 2.0) -> FileLock:
    """Take the lock that makes this process the daemon of this user.

    A second bind on a live ipc socket succeeds and steals it, so the lock comes before any bind.

    Raises
    ------
    AlreadyRunning
        Someone else holds it: at once when that daemon is up, after `wait_s` when it is going down.
    """
    taken = FileLock(directory / LOCK_NAME, mode=0o600)
    deadline = time.monotonic() + wait_s
    while not _locked(taken):
        if find(directory) is not None or time.monotonic() > deadline:
            raise AlreadyRunning("a daemon of this user is already running")
        time.sleep(0.05)
    return taken


class Claim:
    """The place that a daemon has taken: its lock, its sockets and its connection files.

    A directory can be emptied under a living daemon (a cleaner of `/tmp`, the end of a login): then
    nobody finds it any more, and the next client starts another beside it.
    """

    def __init__(self, connection: Connection, directory: Path) -> None:
        self._connection = connection
        endpoints = (connection.work, connection.control)
        paths = [Path(e.removeprefix("ipc://")) for e in endpoints if e.startswith("ipc://")]
        self._sockets = {path: _identity(path) for path in paths}
        self._lock = directory / LOCK_NAME
        self._lock_identity = _identity(self._lock)
        self._directory = directory
        self._files = publish(connection, directory)

    def holds(self) -> bool:
        """Whether clients can find this daemon; a lost connection file is written again."""
        if _identity(self._lock) != self._lock_identity:
            return False
        if any(_identity(path) != known for path, known in self._sockets.items()):
            return False
        if read(self._directory / FILE_NAME) != self._connection:
            with contextlib.suppress(OSError):
                self._files = publish(self._connection, self._directory)
        return True

    def withdraw(self) -> None:
        """Remove the connection files, unless a newer daemon has replaced them."""
        withdraw(self._connection, self._files)

    @contextlib.contextmanager
    def sparing_others(self) -> Iterator[None]:
        """Close own sockets within: ZeroMQ removes their paths, where others may lie by now."""
        aside = []
        for path, known in self._sockets.items():
            if _identity(path) not in (None, known):
                aside.append((path, path.with_suffix(".kept")))
                path.rename(aside[-1][1])
        try:
            yield
        finally:
            for path, kept in aside:
                kept.rename(path)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def new_token() -> str:
    """Make the secret that a client has to know: 256 random bits."""
    return secrets.token_urlsafe(32)


def publish(connection: Connection, directory: Path) -> list[Path]:
    """Write the connection file (0600, in one step) here and into the announced folders.

    Returns
    -------
    list of Path
        The files written. A folder that is gone or read-only is left out.
    """
    content = msgspec.json.format(msgspec.json.encode(connection))
    written = []
    for folder in announced():
        with contextlib.suppress(OSError):
            written.append(private.write(folder / FILE_NAME, content))
    # last: who waits for the daemon waits for this one, and then the others are there too
    return [*written, private.write(directory / FILE_NAME, content)]


def withdraw(connection: Connection, files: list[Path]) -> None:
    """Remove the files written by `publish`, unless a newer daemon has replaced them."""
    for path in files:
        if read(path) == connection:
            path.unlink(missing_ok=True)


def announced() -> list[Path]:
    """List the folders that want a copy of the connection file (existing ones only)."""
    try:
        folders = json.loads((config_dir() / "announce.json").read_text(encoding="utf-8"))
        return [Path(folder) for folder in folders if Path(folder).is_dir()]
    except (OSError, ValueError, TypeError):
        return []


def _locked(taken: FileLock) -> bool:
    try:
        taken.acquire(timeout=0)
    except Timeout:
        return False
    return True
