"""Workers of a Dask cluster as a crew; needs the extra `[cluster]`."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import queue
import time
import uuid
from typing import TYPE_CHECKING, Any

from bokeh_core import extras
from bokeh_core.errors import InputError, ModelMissing
from daemon.batch.crew import Answer, CrewGone, Lost, too_late
from daemon.batch.work import Done, Task, perform
from daemon.runtime.version import VERSION

if TYPE_CHECKING:
    from typing_extensions import Self

LARGE = "distributed.admin.large-graph-warning-threshold"
FAILURES = "distributed.scheduler.allowed-failures"
GIVEN_UP = "distributed.deploy.lost-worker-timeout"
PATIENCE_S = 60.0
"""How long to wait for a scheduler that went away, or for a first worker."""
COUNTED_S = 2.0
"""Age at which the number of workers is asked for again."""
RESTART_S = 30.0
"""How long a worker may take to be there again."""


class Cluster:
    """A Dask cluster as a crew: one task to each worker, and another when it answers.

    Tasks beyond that would wait on the workers, and count as suspects when their worker dies.

    Parameters
    ----------
    scheduler
        Its address, such as `tcp://host:8786`; "local": a cluster of this machine, for this run.
    workers
        Processes of a local cluster.
    ships
        Whether pixels travel, as the workers do not have the batch's folders.
    limit
        Seconds for a picture; a worker that takes longer is restarted, or left out where it has no
        nanny that could.

    Raises
    ------
    InputError
        Nobody answers there, or another version of defocus does.
    ModelMissing
        The extra is not installed.
    """

    def __init__(
        self,
        scheduler: str,
        workers: int,
        *,
        ships: bool,
        limit: float = math.inf,
        patience: float = PATIENCE_S,
    ) -> None:
        try:
            import distributed  # noqa: PLC0415 - an extra
        except ImportError:
            raise ModelMissing(f"--scheduler needs Dask: {extras.how_to_get('cluster')}") from None
        self.ships = ships
        self._dask: Any = distributed
        self._scheduler, self._workers, self._patience = scheduler, workers, patience
        self._limit = limit
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._tasks: dict[str, str] = {}
        """Name of a Dask task -> key of its picture."""
        self._bound: dict[str, list[str]] = {}
        """Name of a Dask task that only some workers may do -> their addresses."""
        self._futures: dict[str, tuple[Any, float]] = {}
        """Name of a Dask task -> its future, and when it was handed over."""
        self._full: set[str] = set()
        self._hung: set[str] = set()
        self._seen: list[str] = []
        self._counted = 0.0
        self._unheard = time.monotonic()

    def __enter__(self) -> Self:
        import dask  # noqa: PLC0415 - an extra

        with contextlib.ExitStack() as undo:
            # what travels is a photo, and is meant to
            undo.enter_context(dask.config.set({LARGE: "1GB"}))
            address = self._scheduler
            if address == "local":
                # a death is told at once, and counted by the runner; after the usual 15 s Dask
                # closes for ever what starts a dead worker again, though it just does so
                undo.enter_context(dask.config.set({FAILURES: 0, GIVEN_UP: "1 hour"}))
                address = undo.enter_context(self._local()).scheduler_address
            try:
                self._client = undo.enter_context(
                    self._dask.Client(address, timeout=self._patience, set_as_default=False)
                )
                self._client.wait_for_workers(1, timeout=self._patience)
            except (OSError, TimeoutError, ValueError) as error:
                raise InputError(
                    f"--scheduler {self._scheduler}: no scheduler with workers there"
                    f" ({type(error).__name__})"
                ) from None
            self._check_versions()
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def room(self) -> int:
        """Say how many more tasks are welcome now: one for each worker that has none."""
        return max(0, len(self._useful()) - len(self._tasks))

    def give(self, task: Task) -> None:
        """Hand a task to the scheduler."""
        name = f"defocus-{uuid.uuid4().hex}"
        self._tasks[name] = task.key
        workers = self._useful() if self._full or self._hung else None
        if workers:
            self._bound[name] = workers
        future = self._client.submit(_performed, task, key=name, pure=False, workers=workers)
        self._futures[name] = (future, time.monotonic())
        future.add_done_callback(self._answers.put)

    def take(self, timeout: float) -> Answer | None:
        """Wait for an answer; while the scheduler is away, for its return."""
        late = self._given_up()
        if late is not None:
            return late
        try:
            future = self._answers.get(timeout=timeout)
        except queue.Empty:
            self._check_patience()
            return self._stranded()
        if future.key not in self._tasks:
            return None  # it was stranded, and has been given anew
        key = self._forgotten(future.key)
        if future.status == "finished":
            self._unheard = time.monotonic()
            done: Done = future.result()
            return done
        if future.status == "error":
            return self._fault(key, future.exception())
        return Lost(key, 0, "the scheduler was lost")

    def told_no_room(self, done: Done) -> None:
        """Leave out a worker whose disk is full."""
        self._full.add(done.worker)

    def _stranded(self) -> Lost | None:
        """Take back a task whose workers are all gone: Dask keeps it for their addresses."""
        self._useful()  # looks for workers again
        for name, workers in self._bound.items():
            if self._seen and not set(workers) & set(self._seen):
                return Lost(self._forgotten(name), 0, "its worker went away before it began")
        return None

    def _given_up(self) -> Done | None:
        """Give up a picture that is under way for longer than the limit, and free its worker."""
        for name, (future, began) in self._futures.items():
            if time.monotonic() - began <= self._limit or future.done():
                continue
            having = self._client.processing() if self._client.status == "running" else {}
            future.cancel()  # before the restart, after which Dask would begin it again
            for address in [worker for worker, names in having.items() if name in names]:
                self._restart(address)
            return too_late(self._forgotten(name), self._limit)
        return None

    def _restart(self, address: str) -> None:
        try:
            self._client.restart_workers([address], timeout=RESTART_S)
        except (OSError, TimeoutError, ValueError):  # it has no nanny, or did not come back
            self._hung.add(address)
        self._counted = -math.inf

    def _forgotten(self, name: str) -> str:
        """Forget a Dask task; gives the key of its picture."""
        self._bound.pop(name, None)
        self._futures.pop(name, None)
        return self._tasks.pop(name)

    def _fault(self, key: str, error: BaseException) -> Answer:
        if isinstance(error, self._dask.KilledWorker):
            return Lost(key, error.allowed_failures + 1, f"the last was {error.last_worker}")
        text = " ".join(f"the worker could not begin: {type(error).__name__}: {error}".split())
        return Done(key, error=text)

    def _useful(self) -> list[str]:
        """List the workers that there are, without those that have no room while others do."""
        if self._client.status != "running":
            return []
        if time.monotonic() - self._counted > COUNTED_S:
            with contextlib.suppress(OSError):
                found = self._client.scheduler_info()["workers"]
                self._seen = [address for address in found if address not in self._hung]
            self._counted = time.monotonic()
        if self._seen:
            self._unheard = time.monotonic()
        return [address for address in self._seen if address not in self._full] or self._seen

    def _check_patience(self) -> None:
        if self._client.status == "running" and self._seen:
            return
        if time.monotonic() - self._unheard > self._patience or self._client.status == "closed":
            raise CrewGone(
                f"{self._scheduler}: no scheduler with workers any more; the same command goes on"
                " where this one ends"
            )

    def _check_versions(self) -> None:
        try:
            found = set(self._client.run(_version).values())
        except Exception as error:  # noqa: BLE001 - whatever a worker without defocus raises
            raise InputError(
                f"--scheduler {self._scheduler}: its workers cannot run defocus {VERSION}"
                f" ({type(error).__name__}: {error}); install it there"
            ) from None
        if found != {VERSION}:
            raise InputError(
                f"--scheduler {self._scheduler}: its workers have defocus"
                f" {', '.join(sorted(found))}, this is {VERSION}"
            )

    def _local(self) -> Any:
        return self._dask.LocalCluster(
            n_workers=self._workers,
            threads_per_worker=1,
            processes=True,
            # None means port 8787, which is another cluster's when two batches run
            dashboard_address="127.0.0.1:0",
        )


def _performed(task: Task) -> Done:
    from distributed import get_worker  # noqa: PLC0415 - an extra

    return dataclasses.replace(perform(task), worker=get_worker().address)


def _version() -> str:
    return VERSION
