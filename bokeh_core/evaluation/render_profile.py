"""Where the renderer's time goes, by module: its threads' stacks are looked at again and again.

Nothing in the renderer is instrumented, and torch's operations give up the interpreter's lock, so
the profile costs about one per cent.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import bokeh_core.rendering as package
from bokeh_core.evaluation.render_methods import ours
from bokeh_core.evaluation.render_speed import large

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

INTERVAL_S = 0.002
LINES = 12
"""Of the single lines that take most."""
_ROOT = Path(str(package.__file__)).parent
_WAITING = {_ROOT / "parallel.py", _ROOT / "api.py"}
"""Modules whose own lines only wait for the others."""

Spot = tuple[str, int]
"""Module, relative to the renderer's folder, and line."""


def profile(megapixels: float) -> None:
    """Render the portrait scene at a size and print the share of every module and busiest line."""
    inputs, lens = large(megapixels)
    with watched() as seen:
        ours(inputs, lens)
    total = seen.total() or 1
    modules: Counter[str] = Counter()
    for (module, _), count in seen.items():
        modules[module] += count
    print(f"{megapixels:g} MP, max_coc {lens.max_coc:g} px, {total} samples of the threads at work")
    for module, count in modules.most_common():
        print(f"{count / total:7.1%}  {module}")
    print("lines:")
    for (module, line), count in seen.most_common(LINES):
        print(f"{count / total:7.1%}  {module}:{line}")


@contextmanager
def watched() -> Iterator[Counter[Spot]]:
    """Count in which line of the renderer every thread is, until the block ends."""
    seen: Counter[Spot] = Counter()
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(INTERVAL_S):
            for stack in sys._current_frames().values():  # noqa: SLF001 - documented, for profilers
                spot = _innermost(stack)
                if spot is not None:
                    seen[spot] += 1

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()


def _innermost(stack: FrameType | None) -> Spot | None:
    """Return the innermost line of the renderer on a thread's stack, unless it only waits there."""
    while stack is not None:
        path = Path(stack.f_code.co_filename)
        if _ROOT in path.parents:
            return None if path in _WAITING else (str(path.relative_to(_ROOT)), stack.f_lineno)
        stack = stack.f_back
    return None
