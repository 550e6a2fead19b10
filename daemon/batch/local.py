"""Workers on this machine: processes of our own, a picture each, replaced when they die."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

import psutil

from daemon.batch.crew import Answer, Lost, too_late
from daemon.batch.work import Done, Task, perform

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from typing_extensions import Self

FIRST_GUESS = 3 << 29
"""Bytes that a worker is taken to need until one has done a picture: 1.5 GB."""
GRACE_S = 5.0
"""How long a killed worker may take to go; one that waits for a dead file system does not."""


@dataclass(frozen=True)
class Size:
    """How many processes, and how much memory for all of them.

    Attributes
    ----------
    most
        Processes; None: as many as the cores and the memory take, and one on a GPU.
    memory
        Bytes; None: half of what is free at the start.
    """

    most: int | None = None
    memory: int | None = None


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    task: Task | None = None
    began: float = 0.0


class Local:
    """Processes of this machine as a crew.

    It begins with one, and grows while the budget holds another as large as the largest so far.

    Parameters
    ----------
    size
        Of the crew.
    limit
        Seconds for a picture; a worker that takes longer is killed.
    """

    ships = False

    def __init__(self, size: Size, limit: float = math.inf) -> None:
        self._limit = limit
        self._budget = size.memory or psutil.virtual_memory().available // 2
        self._given = size.most
        self._most = size.most or max(1, min(_cores(), self._budget // FIRST_GUESS))
        self._largest = 0
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()
        self._workers.clear()

    def room(self) -> int:
        """Say how many more tasks are welcome now."""
        return max(0, self._allowed() - self._busy())

    def give(self, task: Task) -> None:
        """Hand a task to an idle worker, or to a new one."""
        idle = next((worker for worker in self._workers if worker.task is None), None)
        worker = idle or self._start()
        worker.task, worker.began = task, time.monotonic()
        with contextlib.suppress(OSError):  # it just died: `take` finds out
            worker.pipe.send(task)

    def take(self, timeout: float) -> Answer | None:
        """Wait for an answer or a death, or give up a picture that takes too long."""
        late = self._given_up()
        if late is not None:
            return late
        ready = set(wait([worker.pipe for worker in self._workers], timeout))
        for worker in list(self._workers):
            if worker.pipe not in ready:
                continue
            try:
                done: Done = worker.pipe.recv()
            except (EOFError, OSError):
                lost = self._buried(worker)
                if lost is not None:
                    return lost
                continue
            worker.task = None
            self._learn(done)
            return done
        return None

    def told_no_room(self, done: Done) -> None:
        """Do nothing: all workers share this machine's disks."""

    def _learn(self, done: Done) -> None:
        self._largest = max(self._largest, done.peak_bytes)
        if self._given is None and done.device not in ("", "cpu"):
            self._most = 1
        for worker in [each for each in self._workers if each.task is None]:
            if len(self._workers) > self._allowed():
                self._workers.remove(worker)
                worker.pipe.close()  # it ends when it sees that
                worker.process.join()

    def _allowed(self) -> int:
        if self._given is not None:
            return self._given
        if not self._largest:
            return 1
        return max(1, min(self._most, self._budget // self._largest))

    def _busy(self) -> int:
        return sum(worker.task is not None for worker in self._workers)

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _threads(max(1, _cores() // self._most)):
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _given_up(self) -> Done | None:
        """End a worker that has had its picture for longer than the limit, and has no answer."""
        for worker in self._workers:
            late = worker.task and time.monotonic() - worker.began > self._limit
            if not late or worker.pipe.poll():
                continue
            assert worker.task is not None
            self._workers.remove(worker)
            worker.process.kill()
            worker.process.join(GRACE_S)
            worker.pipe.close()
            return too_late(worker.task.key, self._limit)
        return None

    def _buried(self, worker: _Worker) -> Lost | None:
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join()
        if worker.task is None:
            return None
        return Lost(worker.task.key, 1, _how_it_ended(worker.process.exitcode))


def _serve(pipe: Connection) -> None:
    """Do tasks until the other end goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send(perform(pipe.recv()))


def _end_with_parent() -> None:
    """End at once when the batch was killed: nobody would take the results."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _how_it_ended(code: Any) -> str:
    if isinstance(code, int) and code < 0:
        return f"killed by signal {-code}" + (" (memory exhausted?)" if code == -9 else "")
    return f"ended with status {code}"


def _cores() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(usable or 1, psutil.cpu_count(logical=False) or 1))


@contextlib.contextmanager
def _threads(count: int) -> Any:
    """Let children that are started meanwhile have so many threads for their arrays."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = before or str(count)
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
