"""Runs what takes long, such as pip: logged, tidied up after, never left behind.

A child runs in a process group of its own behind a leash (`leash.py`): when this process is
interrupted, told to end or killed, the child is interrupted, gets the time to tidy up, and ends.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.runtime import child_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.setup.environment import Environment

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LEASH = Path(__file__).with_name("leash.py")
TIDY_S = 15.0
"""A child that was interrupted is killed after this; the leash itself waits a little less."""
TAIL_LINES = 40
_held: list[int] = []


class ChildFailed(Exception):
    """A long command ended with another code than 0; the text is the last that it said."""


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Let no other run work in this copy meanwhile.

    pip holds the lock too: where only its caller was killed, the next run waits for it.
    """
    if fcntl is None:
        yield
        return
    lock = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("   another run works here: waiting for its end", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        _held.append(lock)
        yield
    finally:
        _held.clear()
        os.close(lock)


def run_module(environment: Environment, *words: str) -> None:
    """Run a module of an environment to its end: main lines are shown, all of it is logged.

    Parameters
    ----------
    environment
        Whose Python, log and temporary folder are used.
    words
        The module, as `pip`, and its arguments.

    Raises
    ------
    ChildFailed
        It failed.
    """
    command = child_process.script(LEASH, *words, python=environment.python)
    with environment.log.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(words)}\n")
        with _leashed(command, environment.temporary) as process:
            assert process.stdout is not None
            tail: list[str] = []
            for line in process.stdout:
                log.write(line)
                log.flush()
                tail = [*tail[1 - TAIL_LINES :], line.strip()]
                if re.match(r"\s*(Downloading|Using cached|Building|Installing)", line):
                    print("   " + line.strip()[:110], flush=True)
    if process.returncode:
        raise ChildFailed("\n".join(tail))


@contextlib.contextmanager
def _leashed(command: list[str], temporary: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a command that ends with this block."""
    kept = {name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")}
    group = {"start_new_session": True} if os.name == "posix" else {"creationflags": 0x200}
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, **kept},
        pass_fds=_held,
        **group,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process
        process.wait()
    finally:
        process.stdin.close()
        process.stdout.close()  # what it still says must not make it wait for a reader
        try:
            process.wait(TIDY_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def interrupted_by_signals() -> None:
    """Make SIGTERM and a closed terminal end a run as Ctrl+C does: children first."""
    import signal  # noqa: PLC0415

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name) and sys.platform != "win32":
            signal.signal(getattr(signal, name), interrupt)
