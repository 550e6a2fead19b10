"""Tiles side by side, a thread each.

Torch's (and OpenCV's) own threads share every operation and wait for each other at its end. The
renderer's operations take a millisecond or less, so on a machine with other work most of the time
went into that waiting (docs/decisions/0008). A tile to each thread has nothing to wait for.
"""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import cv2
import torch

from bokeh_core.rendering import heap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bokeh_core.progress import Progress
    from bokeh_core.rendering.tiles import Bounds

PATIENCE = 0.05
"""Seconds between two calls of `progress`, which may cancel, while no tile is finished."""

MOST_THREADS = 8
"""The memory's speed is used up by fewer."""
MOST_BYTES = 4 * 2**30
"""For all tiles under way; one may take more, at a CoC of several hundred pixels."""


class _Stopped(Exception):
    """A tile is no longer wanted; never leaves this module."""


def each_tile(
    work: Sequence[Bounds],
    render: Callable[[Bounds, Callable[[], None]], None],
    device: torch.device,
    progress: Progress,
    *,
    tile_bytes: int = 1,
) -> None:
    """Call `render(tile, step)` for every tile.

    Parameters
    ----------
    work
        The tiles.
    render
        Called in threads of its own, on a CPU as many as torch may use up to `MOST_THREADS`, one on
        other devices. It must call `step()` between units of work, which ends it when the call is
        cancelled.
    device
        Where tiles are worked on.
    progress
        As of `bokeh_core.render`; called in the caller's thread only.
    tile_bytes
        Memory that a tile under way takes; there are no more at a time than fit in `MOST_BYTES`.

    Raises
    ------
    Exception
        The first one that `render` or `progress` raises; the tiles under way end before.
    """
    stopped = threading.Event()

    def step() -> None:
        if stopped.is_set():
            raise _Stopped

    def one(tile: Bounds) -> None:
        step()
        with torch.inference_mode():
            render(tile, step)

    progress("render", 0.0)
    with contextlib.ExitStack() as stack:
        threads = stack.enter_context(one_thread_each())
        threads = min(threads, MOST_THREADS, max(MOST_BYTES // tile_bytes, 1))
        threads = threads if device.type == "cpu" else 1
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        pending = {pool.submit(one, tile) for tile in work}
        try:
            while pending:
                ended, pending = wait(pending, PATIENCE, FIRST_COMPLETED)
                for tile in ended:
                    tile.result()
                progress("render", 1.0 - len(pending) / len(work))
        finally:
            stopped.set()


class _Usual:
    """The libraries' threads outside the calls under way, which may be in several threads."""

    lock = threading.Lock()
    calls = 0
    threads = 1
    of_opencv = 1


@contextlib.contextmanager
def one_thread_each() -> Iterator[int]:
    """Make torch and OpenCV work in the thread that calls them, on memory that is kept for them.

    Gives the number of threads torch had before.
    """
    with _Usual.lock:
        if _Usual.calls == 0:
            _Usual.threads = torch.get_num_threads()
            _Usual.of_opencv = cv2.getNumThreads()
            heap.keep_freed()
        _Usual.calls += 1
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
    try:
        yield _Usual.threads
    finally:
        with _Usual.lock:
            _Usual.calls -= 1
            torch.set_num_threads(_Usual.threads)
            if _Usual.calls == 0:
                cv2.setNumThreads(_Usual.of_opencv)
                heap.give_back()
