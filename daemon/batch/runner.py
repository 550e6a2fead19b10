"""The run of a batch: what is to be done, handed out, put in place, and then written down.

For every picture, in this order: the worker makes its files in a scratch folder, they are moved to
their places, the journal gets its line. Killed anywhere, the next run finds a line with its files,
or no line and does the picture again.
"""

from __future__ import annotations

import collections
import hashlib
import json
import shutil
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

from bokeh_core.errors import BokehError, InputError, reason
from bokeh_core.picture.files import replacing
from daemon.batch.crew import Crew, Lost
from daemon.batch.journal import Entry, File, Journal, is_whole, sync_folder
from daemon.batch.work import Done, Result, Task, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DEATHS = 3
"""Workers that a picture may take with it before it counts as failed."""
PLACES = 3
"""Workers without room for its results that a picture is tried on."""
LOOK_S = 0.5


class Item(Protocol):
    """A picture of a batch: a `Source`, or one that is made up."""

    @property
    def key(self) -> str:
        """Return its name in the journal."""
        ...

    @property
    def path(self) -> Path | None:
        """Return its file."""
        ...

    def digest(self) -> str:
        """Return the SHA-256 of its content."""
        ...


@dataclass(frozen=True)
class Order:
    """What is to be done with one picture.

    Attributes
    ----------
    work
        Travels to the worker.
    settings
        All that decides the results besides the picture, in values that JSON knows.
    folder
        Where the files go, below the folder of results.
    """

    work: Work
    settings: dict[str, Any]
    folder: PurePosixPath

    @property
    def decides(self) -> str:
        """Return the SHA-256 of the settings."""
        return hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Batch:
    """What a run is about.

    Attributes
    ----------
    items, order
        The pictures, and what is to be done with each.
    retry
        Do again what failed before.
    verify
        Compare the hashes of results that are there already, not only their sizes.
    """

    items: Sequence[Item]
    order: Callable[[Item], Order]
    retry: bool = False
    verify: bool = False


@dataclass
class Tally:
    """How far a run is."""

    pictures: int
    done: int = 0
    kept: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    failed_now: int = 0
    deaths: int = 0
    moved: int = 0
    """Bytes sent to workers and taken from them."""
    began: float = field(default_factory=time.monotonic)

    @property
    def settled(self) -> int:
        """Pictures that need nothing more in this run."""
        return self.done + self.kept + len(self.failures)

    @property
    def per_minute(self) -> float:
        """Pictures worked on in a minute of this run."""
        seconds = max(time.monotonic() - self.began, 1e-9)
        return 60.0 * (self.done + self.failed_now) / seconds

    @property
    def minutes_left(self) -> float | None:
        """Minutes until the end, if the rest goes as fast; None before anything is known."""
        rate = self.per_minute
        return (self.pictures - self.settled) / rate if rate else None


def run(batch: Batch, journal: Journal, crew: Crew, tell: Callable[[Tally], None]) -> Tally:
    """Work through a batch; `tell` is called after every step.

    Raises
    ------
    CrewGone
        Nobody is left to work.
    OutputError
        The journal cannot be written.
    """
    going = _Run(batch, journal, crew)
    going.all(tell)
    return going.tally


@dataclass(frozen=True)
class _Asked:
    item: Item
    order: Order | None = None
    input: str = ""
    sent: int = 0
    scratch: Path | None = None


class _Run:
    def __init__(self, batch: Batch, journal: Journal, crew: Crew) -> None:
        self._batch, self._journal, self._crew = batch, journal, crew
        self._waiting = collections.deque(batch.items)
        self._under_way: dict[str, _Asked] = {}
        self._deaths: collections.Counter[str] = collections.Counter()
        self._no_room: collections.Counter[str] = collections.Counter()
        self._inputs = {item.path.resolve() for item in batch.items if item.path is not None}
        self._owner = {
            file.path: entry.key
            for entry in journal.entries.values()
            for file in entry.outputs.values()
        }
        self.tally = Tally(len(batch.items))

    def all(self, tell: Callable[[Tally], None]) -> None:
        while self._waiting or self._under_way:
            while self._waiting and self._crew.room() > 0:
                self._consider(self._waiting.popleft())
                tell(self.tally)
            if self._waiting or self._under_way:
                answer = self._crew.take(LOOK_S)
                if isinstance(answer, Lost):
                    self._lost(answer)
                elif answer is not None:
                    self._settle(answer)
                tell(self.tally)

    # --- what is to be done

    def _consider(self, item: Item) -> None:
        """Hand a picture out, unless an entry of the journal says that it is settled."""
        try:
            order = self._batch.order(item)
            content = None
            if item.path is not None and _escaped(item.path) != str(item.path):
                raise InputError("its name is not UTF-8: rename it")
            if self._crew.ships and item.path is not None:
                content = item.path.read_bytes()
            digest = item.digest() if content is None else hashlib.sha256(content).hexdigest()
        except (BokehError, OSError) as error:
            self._failed(_Asked(item), Done(item.key, error=_words(error)))
            return
        entry = self._journal.entries.get(item.key)
        if entry is not None and entry.input == digest and entry.decides == order.decides:
            if entry.error is None and self._is_there(entry):
                self.tally.kept += 1
                return
            if entry.error is not None and not self._batch.retry:
                self.tally.failures[item.key] = entry.error
                return
        self._hand_out(item, order, digest, content)

    def _is_there(self, entry: Entry) -> bool:
        folder, verify = self._journal.folder, self._batch.verify
        return all(is_whole(file, folder, verify=verify) for file in entry.outputs.values())

    def _hand_out(self, item: Item, order: Order, digest: str, content: bytes | None) -> None:
        ships = self._crew.ships
        scratch = None if ships else self._journal.scratch.resolve() / uuid.uuid4().hex
        source = None if item.path is None else item.path.resolve()
        sent = 0 if content is None else len(content)
        self._under_way[item.key] = _Asked(item, order, digest, sent, scratch)
        self._crew.give(Task(item.key, source, order.work, scratch, content))

    # --- what came of it

    def _lost(self, lost: Lost) -> None:
        asked = self._under_way.pop(lost.key)
        _remove(asked.scratch)
        self._deaths[lost.key] += lost.deaths
        self.tally.deaths += lost.deaths
        if self._deaths[lost.key] < DEATHS:
            self._waiting.append(asked.item)  # last, so that the others are safe from it
            return
        count = self._deaths[lost.key]
        self._failed(asked, Done(lost.key, error=f"took {count} workers with it: {lost.reason}"))

    def _settle(self, done: Done) -> None:
        asked = self._under_way.pop(done.key)
        self.tally.moved += asked.sent
        self.tally.moved += sum(len(each.content or b"") for each in done.results.values())
        if done.no_room:
            self._crew.told_no_room(done)
            self._no_room[done.key] += 1
            if self._no_room[done.key] < PLACES:
                _remove(asked.scratch)
                self._waiting.append(asked.item)  # last: a worker with room may only be starting
                return
        if done.error is None:
            self._publish(asked, done)
        else:
            self._failed(asked, done)
        _remove(asked.scratch)

    def _publish(self, asked: _Asked, done: Done) -> None:
        assert asked.order is not None
        try:
            if asked.item.path is not None and done.input != asked.input:
                raise InputError("changed while it was worked on; the next run does it again")
            places = {
                kind: asked.order.folder / PurePosixPath(*result.path.parts)
                for kind, result in done.results.items()
            }
            for place in places.values():
                self._claim(place, done.key)
            self._journal.replacing(done.key)
            for kind, place in places.items():
                self._put(done.results[kind], self._journal.folder / place, done.folder)
            for folder in {self._journal.folder / place.parent for place in places.values()}:
                sync_folder(folder)
        except (BokehError, OSError) as error:
            self._failed(asked, Done(done.key, error=_words(error), seconds=done.seconds))
            return
        outputs = {
            kind: File(str(place), done.results[kind].sha256, done.results[kind].size)
            for kind, place in places.items()
        }
        self._journal.add(_entry(asked, done, outputs))
        self.tally.done += 1

    def _claim(self, place: PurePosixPath, key: str) -> None:
        """Take a place for results, which must be neither another's nor an input."""
        owner = self._owner.setdefault(str(place), key)
        if owner != key:
            raise InputError(f"{place}: is already the result of {owner}; rename one of the two")
        if (self._journal.folder / place).resolve() in self._inputs:
            raise InputError(f"{place}: is an input and is never overwritten; give another --out")

    def _put(self, result: Result, target: Path, folder: Path | None) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        if result.content is not None:
            with replacing(target) as temporary:
                temporary.write(result.content)
        else:
            assert folder is not None
            (folder / result.path).replace(target)

    def _failed(self, asked: _Asked, done: Done) -> None:
        self._journal.add(_entry(asked, done, {}))
        self.tally.failures[done.key] = done.error or ""
        self.tally.failed_now += 1


def _entry(asked: _Asked, done: Done, outputs: dict[str, File]) -> Entry:
    return Entry(
        key=done.key,
        source="" if asked.item.path is None else _escaped(asked.item.path),
        input=asked.input,
        settings=asked.order.settings if asked.order else {},
        decides=asked.order.decides if asked.order else "",
        outputs=outputs,
        seconds=round(done.seconds, 3),
        device=done.device,
        worker=done.worker,
        facts=done.facts,
        notes=list(done.notes),
        error=done.error,
    )


def _escaped(path: Path) -> str:
    return str(path).encode(errors="backslashreplace").decode()


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and not isinstance(error, BokehError):
        return f"{error.filename}: {reason(error)}"
    return str(error)


def _remove(scratch: Path | None) -> None:
    if scratch is not None:
        shutil.rmtree(scratch, ignore_errors=True)
