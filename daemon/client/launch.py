"""Start the daemon as a process of its own, and wait until it can be found."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING

from daemon.light import program
from daemon.runtime import child_process
from daemon.wire import discovery

if TYPE_CHECKING:
    from pathlib import Path

ALREADY_RUNNING = 3
"""Exit status of a daemon that lost the race for the lock."""
START_S = 20.0
OUTDATED = "the daemon runs another version of the program: it finishes its work and is replaced"


class StartFailed(Exception):  # the text is one line for the user
    """The daemon did not come up."""


def is_current(where: discovery.Connection) -> bool:
    """Whether a daemon runs the same program as this process: the same files, not only version."""
    return where.program == program.digest()


def start(directory: Path, options: tuple[str, ...] = ()) -> discovery.Connection:
    """Start a daemon unless one runs; returns where it is.

    Any number of callers at once end up with the same one daemon.

    Parameters
    ----------
    directory
        The runtime directory.
    options
        Further words for `defocus daemon run`.

    Raises
    ------
    StartFailed
        The text holds the daemon's own last words.
    """
    found = discovery.find(directory)
    if found is not None:
        return found
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            child_process.own_module("daemon.cli.main", "daemon", "run", "--log-to-file", *options),
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            env=child_process.environment(DEFOCUS_RUNTIME_DIR=str(directory)),
            cwd=child_process.ANCHOR,
            start_new_session=True,
        )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            found = discovery.find(directory)
            if found is not None:
                return found
            if process.poll() not in (None, ALREADY_RUNNING):
                break
            time.sleep(0.02)
        words.seek(0)
        last = words.read()[-2000:].decode(errors="replace").strip().splitlines()
    reason = last[-1].removeprefix("defocus: ") if last else f"no sign of life within {START_S:g} s"
    raise StartFailed(f"the daemon did not start: {reason}")


def start_detached(directory: Path, options: tuple[str, ...] = ()) -> discovery.Connection:
    """Start a daemon that is nobody's child: through `defocus daemon start`, which ends at once.

    Parameters
    ----------
    directory
        The runtime directory.
    options
        Further words for `defocus daemon start`.

    Raises
    ------
    StartFailed
        The text holds the reason given by that command.
    """
    done = subprocess.run(
        child_process.own_module("daemon.cli.main", "daemon", "start", *options),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env=child_process.environment(DEFOCUS_RUNTIME_DIR=str(directory)),
        check=False,
    )
    found = discovery.find(directory)
    if found is not None:
        return found
    last = done.stderr.strip().splitlines()
    raise StartFailed(last[-1].removeprefix("defocus: ") if last else "it ended without a word")


def stop_by_force(where: discovery.Connection, *, wait_s: float = 5.0) -> None:
    """End a daemon that does not answer any more."""
    import psutil  # noqa: PLC0415 - only here, and it costs 15 ms

    with contextlib.suppress(psutil.Error):
        process = psutil.Process(where.pid)
        if where.alive:
            process.terminate()
            try:
                process.wait(wait_s)
            except psutil.TimeoutExpired:
                process.kill()
