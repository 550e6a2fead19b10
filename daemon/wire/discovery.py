"""Where the daemon is found: a private runtime directory and a connection file in it."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
import platformdirs
import psutil
from msgspec import Meta, Struct

from daemon.runtime import private
from daemon.runtime.log import Log
from daemon.wire.planes import Version
from daemon.wire.protocol import PROTOCOL

FILE_NAME = "connection.json"
MAX_IPC_PATH = 103 if sys.platform == "darwin" else 107
"""Bytes of a Unix socket path (`sun_path` less its closing zero)."""
_OWN_FOLDER = "name a folder of your own in DEFOCUS_RUNTIME_DIR, it is made when it is not there"
_log = Log("defocus.connection")


class Connection(Struct, frozen=True, kw_only=True):
    """What a client must know to reach the daemon: the content of the connection file."""

    format: Annotated[int, Meta(ge=1, le=1, description="of this file")] = 1
    pid: Annotated[int, Meta(ge=1, description="process of the daemon")]
    started: Annotated[float, Meta(description="its start, seconds since 1970: tells a reused pid")]
    server: Annotated[str, Meta(description="daemon version")]
    program: Annotated[
        str,
        Meta(description="digest of the daemon's files; another: replaced by clients of its user"),
    ] = ""
    options: Annotated[
        tuple[str, ...], Meta(description="words it was started with, for its successor")
    ] = ()
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
    r"""Return this user's runtime directory, made with mode 0700.

    `$DEFOCUS_RUNTIME_DIR`, else `defocus` in the system's own (`$XDG_RUNTIME_DIR` or
    `/run/user/UID` on Linux, whichever is there and private, else `runtime-UID` among the temporary
    files; `~/Library/Caches/TemporaryItems` on macOS, `%LOCALAPPDATA%\Temp` on Windows). The latter
    bears our name, so it is closed when others can enter it. A named one may
    be anybody's (`/tmp`), and keeps its mode.

    Raises
    ------
    PermissionError
        The directory or its parent belongs to someone else, others can enter a named one, or a
        named one is a link to a folder with other things in it.
    """
    named = os.environ.get("DEFOCUS_RUNTIME_DIR")
    path = Path(named or _system_runtime_dir())
    private.make(path)
    if named and path.is_symlink() and _foreign(path):
        raise PermissionError(f"{path} is a link to a folder that is in use: {_OWN_FOLDER}")
    if os.name == "posix":
        found = path.stat()
        if found.st_uid != os.getuid() or path.parent.stat().st_uid not in {0, os.getuid()}:
            raise PermissionError(f"{path} or its parent belongs to another user: {_OWN_FOLDER}")
        if stat.S_IMODE(found.st_mode) & 0o077:
            if named:
                raise PermissionError(f"other users can enter {path}: {_OWN_FOLDER}")
            path.chmod(0o700)
    return path


def _foreign(folder: Path) -> bool:
    """Whether something lies in a folder that no daemon has put there."""
    own = {FILE_NAME, "daemon.lock"}
    return any(path.name not in own and path.suffix != ".sock" for path in folder.iterdir())


def config_dir() -> Path:
    """Return the directory of this user's settings (`$DEFOCUS_CONFIG_DIR` or the system's own)."""
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


def process_start(pid: int) -> float:
    """Start of a process in seconds since 1970."""
    return float(psutil.Process(pid).create_time())


def _system_runtime_dir() -> str:
    """Choose the place, the same one for every command: none of the system's is ever made.

    `daemon/light/discovery.py` looks in the same places.
    """
    if sys.platform in ("win32", "darwin"):
        return platformdirs.user_runtime_dir("defocus", appauthor=False)
    own = f"runtime-{os.getuid()}"
    named = os.environ.get("XDG_RUNTIME_DIR")
    for place in (*([Path(named)] if named else []), Path(f"/run/user/{os.getuid()}")):
        if _is_private(place):
            return str(place / "defocus")
    temporary = Path(tempfile.gettempdir(), own)
    with contextlib.suppress(FileExistsError):
        temporary.mkdir(mode=0o700)
    if not _is_private(temporary):
        raise PermissionError(f"{temporary} is not yours alone: {_OWN_FOLDER}")
    return str(temporary / "defocus")


def _is_private(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    closed = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700
    return closed and found.st_uid == os.getuid()


def _started(pid: int, started: float) -> bool:
    try:
        # clocks of /proc have 10 ms steps, and a suspended machine shifts boot time a little
        same = abs(process_start(pid) - started) < 2.0
        return bool(same and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
