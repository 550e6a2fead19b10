"""The journal of a batch: a line per picture, appended whole, from which a later run goes on."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeAlias

import filelock
import msgspec

from bokeh_core.errors import InputError, OutputError, reason
from daemon.batch.sources import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

NAME = "defocus-batch.jsonl"
SCRATCH = ".defocus-batch"
"""Folder beside the journal for results not yet in place; every run begins by emptying it."""


class File(msgspec.Struct, frozen=True):
    """A result in its place, below the folder of results."""

    path: str
    sha256: str
    size: int


class Begun(msgspec.Struct, frozen=True, tag="begun", tag_field="line"):
    """A run began here."""

    version: str
    at: float
    """Seconds since 1970."""
    pictures: int


class Entry(msgspec.Struct, frozen=True, tag="picture", tag_field="line", omit_defaults=True):
    """What became of one picture. The last entry of a key is the one that counts."""

    key: str
    source: str
    input: str
    """SHA-256 of the input."""
    settings: dict[str, Any]
    decides: str
    """SHA-256 of everything but the input that decides the results."""
    outputs: dict[str, File] = {}
    seconds: float = 0.0
    device: str = ""
    worker: str = ""
    facts: dict[str, Any] = {}
    notes: list[str] = []
    error: str | None = None


class Replacing(msgspec.Struct, frozen=True, tag="replacing", tag_field="line"):
    """Results of an earlier entry are about to be replaced; it no longer vouches for them."""

    key: str


Line: TypeAlias = Begun | Entry | Replacing


class Journal:
    """The journal in a folder of results, which this process has for itself while it is open.

    Parameters
    ----------
    folder
        Where results go; made when absent.

    Raises
    ------
    InputError
        Another batch works in the folder.
    OutputError
        The folder or the journal cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / NAME
        self.scratch = folder / SCRATCH
        self.entries: dict[str, Entry] = {}
        self.unreadable = 0
        """Lines that say nothing: cut off by a kill, or damaged."""

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo, _worded(self.path):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = filelock.FileLock(self.folder / f"{SCRATCH}.lock")
            try:
                self._lock.acquire(timeout=0)
            except filelock.Timeout:
                raise InputError(f"{self.folder}: another batch works here") from None
            undo.callback(self._lock.release)
            shutil.rmtree(self.scratch, ignore_errors=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
            undo.callback(os.close, self._file)
            self._read()
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)
        self._undo.close()

    def begin(self, version: str, pictures: int) -> None:
        """Note that a run begins."""
        self._append(Begun(version=version, at=round(time.time(), 3), pictures=pictures))

    def add(self, entry: Entry) -> None:
        """Append what became of a picture; it is on the disk when this returns."""
        self._append(entry)
        self.entries[entry.key] = entry

    def replacing(self, key: str) -> None:
        """Say that the results of an earlier entry are about to go."""
        if key in self.entries:
            self._append(Replacing(key))
            del self.entries[key]

    def _append(self, line: Line) -> None:
        data = memoryview(msgspec.json.encode(line) + b"\n")
        with _worded(self.path):
            while data:  # a signal may cut a write short
                data = data[os.write(self._file, data) :]
            os.fsync(self._file)

    def _read(self) -> None:
        content = self.path.read_bytes()
        if content and not content.endswith(b"\n"):
            os.write(self._file, b"\n")  # the line that a kill cut off ends here
        decode = msgspec.json.Decoder(Line).decode
        for text in content.splitlines():
            try:
                line = decode(text) if text else None
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.unreadable += 1
                continue
            if isinstance(line, Entry):
                self.entries[line.key] = line
            elif isinstance(line, Replacing):
                self.entries.pop(line.key, None)


def is_whole(file: File, folder: Path, *, verify: bool) -> bool:
    """Tell whether a result is still there: by its size, or by its hash."""
    path = folder / PurePath(file.path)
    try:
        if path.stat().st_size != file.size:
            return False
        return not verify or digest_of(path) == file.sha256
    except OSError:
        return False


def sync_folder(folder: Path) -> None:
    """Make renames in a folder last through a power cut, where the system can."""
    with contextlib.suppress(OSError):  # Windows opens no folders
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def _worded(path: Path) -> Iterator[None]:
    try:
        yield
    except (InputError, OutputError):
        raise
    except FileExistsError as error:
        raise OutputError(f"{error.filename}: is a file, not a folder") from error
    except OSError as error:
        raise OutputError(f"{error.filename or path}: {reason(error)}") from error
