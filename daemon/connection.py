"""Where the daemon is found: a private runtime directory, a connection file and a lock.

The connection file is a hint, the lock is the truth: whoever holds it is the one daemon of this
user. The file also goes into every folder listed in `announce.json` (the installed plug-ins), so
that a client in a sandbox finds the daemon without knowing the runtime directory.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Annotated

import msgspec
import platformdirs
import psutil
from filelock import FileLock, Timeout
from msgspec import Meta, Struct

from daemon.log import Log
from daemon.planes import Version
from daemon.protocol import PROTOCOL

FILE_NAME = "connection.json"
MAX_IPC_PATH = 103 if sys.platform == "darwin" else 107
"""Bytes of a Unix socket path (`sun_path` less its closing zero)."""
_OWN_FOLDER = "name a folder of your own in DEFOCUS_RUNTIME_DIR, it is made when it is not there"
_log = Log("defocus.connection")


class AlreadyRunning(Exception):  # the normal end of a lost race
    """Another daemon of this user holds the lock."""


class Connection(Struct, frozen=True, kw_only=True):
    """What a client must know to reach the daemon: the content of the connection file."""

    format: Annotated[int, Meta(ge=1, le=1, description="of this file")] = 1
    pid: Annotated[int, Meta(ge=1, description="process of the daemon")]
    started: Annotated[float, Meta(description="its start, seconds since 1970: tells a reused pid")]
    server: Annotated[str, Meta(description="daemon version")]
    protocol: Annotated[
        tuple[Version, Version], Meta(description="lowest and highest protocol spoken")
    ] = PROTOCOL
    work: Annotated[str, Meta(description="ZeroMQ endpoint for render, pixels")]
    control: Annotated[str, Meta(description="ZeroMQ endpoint for status, cancel, shutdown, ping")]
    token: Annotated[str, Meta(description="goes into `hello`")]

    @property
    def alive(self) -> bool:
        """Whether the process that wrote the file still runs."""
        return _started(self.pid, self.started)


def runtime_dir() -> Path:
    r"""Give this user's runtime directory, made with mode 0700.

    `$DEFOCUS_RUNTIME_DIR`, else `defocus` in the system's own (`$XDG_RUNTIME_DIR` or
    `/run/user/UID` on Linux, `~/Library/Caches/TemporaryItems` on macOS, `%LOCALAPPDATA%\Temp` on
    Windows). The latter bears our name, so it is closed when others can enter it. A named one may
    be anybody's (`/tmp`), and keeps its mode.

    Raises
    ------
    PermissionError
        The directory or its parent belongs to someone else, or others can enter a named one.
    """
    named = os.environ.get("DEFOCUS_RUNTIME_DIR")
    path = Path(named or _system_runtime_dir())
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix":
        found = path.stat()
        if found.st_uid != os.getuid() or path.parent.stat().st_uid not in {0, os.getuid()}:
            raise PermissionError(f"{path} or its parent belongs to another user: {_OWN_FOLDER}")
        if stat.S_IMODE(found.st_mode) & 0o077:
            if named:
                raise PermissionError(f"other users can enter {path}: {_OWN_FOLDER}")
            path.chmod(0o700)
    return path


def config_dir() -> Path:
    """Give the directory of this user's settings (`$DEFOCUS_CONFIG_DIR` or the system's own)."""
    own = os.environ.get("DEFOCUS_CONFIG_DIR")
    return Path(own) if own else Path(platformdirs.user_config_dir("defocus", appauthor=False))


def endpoints(directory: Path, *, tcp: bool = False) -> tuple[str, str]:
    """Choose the work and control endpoints: ipc where it exists and fits, else loopback tcp.

    A tcp endpoint ends in `:*`; the port is known after the bind.
    """
    paths = [directory / "work.sock", directory / "control.sock"]
    longest = max(len(os.fsencode(path)) for path in paths)
    if not tcp and sys.platform != "win32" and longest > MAX_IPC_PATH:
        tcp = True  # every local user reaches that socket, so it is not done silently
        _log.warning(
            "the runtime directory's path is too long for ipc: loopback tcp instead",
            directory=directory,
            bytes=longest,
            at_most=MAX_IPC_PATH,
        )
    if tcp or sys.platform == "win32":
        return "tcp://127.0.0.1:*", "tcp://127.0.0.1:*"
    return f"ipc://{paths[0]}", f"ipc://{paths[1]}"


def lock(directory: Path, *, wait_s: float = 2.0) -> FileLock:
    """Take the lock that makes this process the daemon of this user.

    A second bind on a live ipc socket succeeds and steals it, so the lock comes before any bind.

    Raises
    ------
    AlreadyRunning
        Someone else holds it: at once when that daemon is up, after `wait_s` when it is going down.
    """
    taken = FileLock(directory / "daemon.lock", mode=0o600)
    deadline = time.monotonic() + wait_s
    while not _locked(taken):
        if find(directory) is not None or time.monotonic() > deadline:
            raise AlreadyRunning("a daemon of this user is already running")
        time.sleep(0.05)
    return taken


def new_token() -> str:
    """Make the secret that a client has to know: 256 random bits."""
    return secrets.token_urlsafe(32)


def read(path: Path) -> Connection | None:
    """Read a connection file; None when it is absent or unusable (a stale or foreign file)."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Connection)
    except (OSError, msgspec.DecodeError, ValueError):
        return None


def find(directory: Path | None = None) -> Connection | None:
    """Find the running daemon; None when there is none or its process is gone."""
    found = read((runtime_dir() if directory is None else directory) / FILE_NAME)
    return found if found is not None and found.alive else None


def publish(connection: Connection, directory: Path) -> list[Path]:
    """Write the connection file (0600, in one step) here and into the announced folders.

    Returns
    -------
    list of Path
        The files written. A folder that is gone or read-only is left out.
    """
    content = msgspec.json.format(msgspec.json.encode(connection))
    written = [_write_private(directory / FILE_NAME, content)]
    for folder in announced():
        with contextlib.suppress(OSError):
            written.append(_write_private(folder / FILE_NAME, content))
    return written


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


def process_start(pid: int) -> float:
    """Start of a process in seconds since 1970."""
    return float(psutil.Process(pid).create_time())


def _system_runtime_dir() -> str:
    with warnings.catch_warnings():
        # without $XDG_RUNTIME_DIR there is a private directory under /tmp, which is what we want
        warnings.simplefilter("ignore")
        return platformdirs.user_runtime_dir("defocus", appauthor=False)


def _locked(taken: FileLock) -> bool:
    try:
        taken.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _started(pid: int, started: float) -> bool:
    try:
        # clocks of /proc have 10 ms steps, and a suspended machine shifts boot time a little
        same = abs(process_start(pid) - started) < 2.0
        return bool(same and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _write_private(path: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".connection-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return path
