"""What is done with one picture, wherever it is done; nothing here leaves files half written."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Protocol

from daemon.batch.sources import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
"""Errors of a place, not of a picture: another worker may do better."""

_one_at_a_time = threading.Lock()  # engines are used by one thread


@dataclass(frozen=True)
class Made:
    """The files of one picture, where the work put them, and what is worth telling about them."""

    files: dict[str, Path]
    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    device: str = ""


class Work(Protocol):
    """Makes files of one picture; travels to the worker, so it is small and can be pickled."""

    def __call__(self, source: Path | None, folder: Path) -> Made:
        """Make the files below `folder`; `source` is None where the picture is not from a file."""
        ...

    def explain(self, error: Exception) -> str:
        """Word an error in one line for the user."""
        ...


@dataclass(frozen=True)
class Task:
    """One picture on its way to a worker.

    Attributes
    ----------
    key, source
        Of the picture.
    work
        What is done with it.
    scratch
        A folder in which the results get one of their own, as a task may be done twice at a time
        (Dask does, when a worker dies with the answer); None: they come back as bytes.
    content
        The file's bytes, for a worker that cannot read `source`.
    """

    key: str
    source: Path | None
    work: Work
    scratch: Path | None
    content: bytes | None = None


@dataclass(frozen=True)
class Result:
    """One file that was made; `path` is below the folder of the work."""

    path: PurePath
    sha256: str
    size: int
    content: bytes | None = None


@dataclass(frozen=True)
class Done:
    """What became of a task: results, or an error in the user's words."""

    key: str
    folder: Path | None = None
    """Where the results are, unless they came along."""
    results: dict[str, Result] = field(default_factory=dict)
    input: str = ""
    """SHA-256 of what the worker read, taken after the work."""
    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    device: str = ""
    worker: str = ""
    peak_bytes: int = 0
    """The most memory that the worker's process ever held."""
    error: str | None = None
    no_room: bool = False
    """The error is of the worker's disk."""


def perform(task: Task) -> Done:
    """Do a task; every failure becomes a `Done` with an error."""
    with _one_at_a_time:
        began = time.monotonic()
        try:
            with _folders(task) as (source, folder):
                done = _performed(task, source, folder)
        except OSError as error:  # of the folders
            done = _failed(task, error, "")
        return replace(
            done,
            seconds=time.monotonic() - began,
            worker=f"pid {os.getpid()}",
            peak_bytes=_peak_bytes(),
        )


@contextlib.contextmanager
def _folders(task: Task) -> Iterator[tuple[Path | None, Path]]:
    """Return the file to work on and a folder for the results."""
    if task.scratch is not None:
        folder = task.scratch / uuid.uuid4().hex
        folder.mkdir(parents=True)
        yield task.source, folder
        return
    with tempfile.TemporaryDirectory(prefix="defocus-") as name:
        source, folder = task.source, Path(name) / "results"
        folder.mkdir()
        if source is not None and task.content is not None:
            source = Path(name) / source.name
            source.write_bytes(task.content)
        yield source, folder


def _performed(task: Task, source: Path | None, folder: Path) -> Done:
    try:
        made = task.work(source, folder)
        return Done(
            key=task.key,
            folder=folder,
            results={
                kind: _result(path, folder, ship=task.scratch is None)
                for kind, path in made.files.items()
            },
            input="" if source is None else digest_of(source),
            facts=made.facts,
            notes=made.notes,
            device=made.device,
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, the other pictures follow
        return _failed(task, error, str(source))


def _failed(task: Task, error: Exception, source: str) -> Done:
    """Word an error; the user knows the picture by its key, not by where a worker had it."""
    text = task.work.explain(error)
    if source:
        text = text.replace(source, task.key)
    return Done(task.key, error=text, no_room=_errno(error) in NO_ROOM)


def _result(path: Path, folder: Path, *, ship: bool) -> Result:
    below = path.relative_to(folder)
    if not ship:
        return Result(below, digest_of(path), path.stat().st_size)
    content = path.read_bytes()
    return Result(below, hashlib.sha256(content).hexdigest(), len(content), content)


def _errno(error: BaseException | None) -> int | None:
    """Find the system's error number, also behind an error in our words."""
    while error is not None:
        if isinstance(error, OSError) and error.errno is not None:
            return error.errno
        error = error.__cause__ or error.__context__
    return None


def _peak_bytes() -> int:
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
