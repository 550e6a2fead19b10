"""Progress on a terminal: one line on stderr that redraws itself, and nothing anywhere else."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING

from daemon.cli.error_text import printable

if TYPE_CHECKING:
    from typing_extensions import Self


class ProgressBar:
    """A progress callback; use as a context manager so that the line is cleared at the end."""

    def __init__(self, label: str, *, quiet: bool = False) -> None:
        self._label = printable(label)
        self._shown = not quiet and sys.stderr.isatty()
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def __call__(self, stage: str, fraction: float) -> None:
        """Redraw, at most ten times a second."""
        now = time.monotonic()
        if not self._shown or (now < self._next and fraction < 1.0):
            return
        self._next = now + 0.1
        width = max(10, min(30, shutil.get_terminal_size().columns - 45))
        done = round(width * min(max(fraction, 0.0), 1.0))
        bar = "#" * done + "." * (width - done)
        sys.stderr.write(f"\r\x1b[K{self._label[:20]:20} [{bar}] {fraction:4.0%} {stage}")
        sys.stderr.flush()
