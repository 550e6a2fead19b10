"""Batches prepared ahead, in a thread or in processes of their own: the same ones either way."""

from __future__ import annotations

import itertools
import math
import signal
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

import cv2
import numpy as np
import psutil
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from bokeh_core.errors import OutOfMemory
from bokeh_core.training.batches import Batch, Batches
from bokeh_core.training.samples import Broken, Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bokeh_core.training.batches import Kind
    from bokeh_core.training.items import Item

AHEAD = 2
"""Batches prepared in advance, by every worker."""

SPARE = 0.5
"""Part of the memory that is free at the start in which pictures are kept, unless told."""


@dataclass(frozen=True)
class Loading:
    """How pictures come into memory; nothing here decides what is in a batch."""

    workers: int = 0
    """Processes that prepare batches; 0: a thread of this one."""
    room: int | None = None
    """Bytes of decoded pictures that are kept; None: `SPARE` of what is free."""
    broken: Broken = field(default_factory=Broken)
    rank: int = 0
    """Which of the processes of a training this is: each makes its part of every batch."""
    ranks: int = 1


class _Source(Protocol):
    """Where batches come from, one step after the other."""

    def batch(self, step: int) -> Batch: ...

    def close(self) -> None: ...


class Feed:
    """Views of labelled pictures, which are decoded once per input size."""

    def __init__(
        self,
        items: Sequence[Item],
        *,
        batch: int,
        seed: int,
        plain: bool = False,
        others: bool = True,
        augmented: bool = True,
        weights: Mapping[str, int] | None = None,
        loading: Loading | None = None,
    ) -> None:
        """Prepare nothing yet.

        Parameters
        ----------
        items, batch, seed
            The pictures, how many to a batch, and what decides their order and views.
        plain
            Give the whole pictures in one order, upright ones first, for scores; broken ones are
            left out. Each batch has the orientation of most of its pictures, so one at most mixes
            both.
        others
            Paste people of other pictures into some views, whose depth is then unknown.
        augmented
            Show random views; else the whole pictures as they are, in random order.
        weights
            How often the pictures of a folder are seen in an epoch; 1 for those not named.
        loading
            How they come into memory; None: all that fits, and no picture may be broken.
        """
        self._items = items
        times = [(weights or {}).get(item.folder, 1) for item in items]
        self._drawn = np.repeat(np.arange(len(items)), times)
        self._batch = batch
        self._seed = seed
        self._plain = plain
        self._augmented = augmented and not plain
        self._others = others and self._augmented
        self._loading = loading or Loading()
        self._store: Store | None = None
        self._shown: tuple[int, Kind] = (0, "whole")
        self._source: _Source | None = None

    @property
    def count(self) -> int:
        """Pictures in an epoch, without those of a plain feed that turned out to be broken."""
        return len(self._drawn)

    @property
    def epoch_steps(self) -> int:
        """Steps in which every picture is seen about once, or as often as its folder's weight."""
        return math.ceil(self.count / self._batch)

    def batch(self, step: int, size: int, *, near: bool = False) -> Batch:
        """Return the batch of `step` for inputs of long side `size`; `near`: like the photo."""
        varied: Kind = "near" if near else "varied"
        shown = size, varied if self._augmented else "whole"
        if self._source is None or shown != self._shown:
            self._begin(*shown)
        assert self._source is not None
        made = self._source.batch(step)
        for key, reason in made.broken:
            self._loading.broken.note(key, reason)
        return made

    def close(self) -> None:
        """Stop the thread or the processes."""
        if self._source is not None:
            self._source.close()
            self._source = None

    def _begin(self, size: int, kind: Kind) -> None:
        self.close()
        if self._store is None or size != self._shown[0]:
            self._store = None  # not both sizes in memory at once
            self._store = self._read(math.ceil(size * 4 / 3))
        self._shown = size, kind
        loading = self._loading
        batches = Batches(
            self._store,
            self._drawn,
            self._batch,
            self._seed,
            size,
            kind,
            shuffled=not self._plain,
            others=self._others,
            rank=loading.rank,
            ranks=loading.ranks,
        )
        self._source = _Workers(batches, loading.workers) if loading.workers else _Thread(batches)

    def _read(self, long_side: int) -> Store:
        room = self._loading.room
        if room is None:
            room = int(SPARE * psutil.virtual_memory().available) // self._loading.ranks
        store = Store(self._items, long_side, room, self._loading.broken)
        if self._plain:
            self._drawn = np.array(sorted(store.sound(), key=store.wide.__getitem__), np.intp)
        return store


class _Thread:
    """One thread of this process, which leaves the other cores to the network."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._pool = ThreadPoolExecutor(1)
        self._ready: dict[int, Future[Batch]] = {}

    def batch(self, step: int) -> Batch:
        for ahead in range(step, step + AHEAD + 1):
            if ahead not in self._ready:
                self._ready[ahead] = self._pool.submit(self._batches.__getitem__, ahead)
        return self._ready.pop(step).result()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


class _Workers:
    """Processes of their own, torch's data loader."""

    def __init__(self, batches: Batches, count: int) -> None:
        self._batches = batches
        self._count = count
        self._next = -1
        self._ready: Iterator[Batch] = iter(())

    def batch(self, step: int) -> Batch:
        if step != self._next:
            self._ready = iter(self._loader(step))
        self._next = step + 1
        try:
            return next(self._ready)
        except RuntimeError as error:
            if "worker" not in str(error):
                raise
            raise OutOfMemory(
                f"a process that prepares pictures was ended ({error}): fewer --workers need less"
            ) from None

    def close(self) -> None:
        self._ready = iter(())  # its workers end with it

    def _loader(self, step: int) -> DataLoader[Batch]:
        return DataLoader(
            cast("Dataset[Batch]", self._batches),  # whatever has a __getitem__ is one
            batch_size=None,
            sampler=_Steps(step),
            num_workers=self._count,
            prefetch_factor=AHEAD,
            collate_fn=_as_it_is,
            worker_init_fn=_begin_worker,
            # a copy of this process shares the pictures that it keeps
            multiprocessing_context="fork" if sys.platform == "linux" else "spawn",
            generator=torch.Generator(),  # without it, it would draw from the network's
        )


class _Steps(Sampler[int]):
    """All steps from one on."""

    def __init__(self, first: int) -> None:
        self._first = first

    def __iter__(self) -> Iterator[int]:
        return itertools.count(self._first)


def _as_it_is(batch: Any) -> Any:
    return batch


def _begin_worker(_: int) -> None:
    """Leave signals to the process that trains, and its cores to the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    cv2.setNumThreads(0)
