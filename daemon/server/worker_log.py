"""What the worker says: read as it comes, into a file that does not grow without end."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import threading
from typing import TYPE_CHECKING

from daemon.runtime import private
from daemon.runtime.log import MAX_LOG_BYTES, WORKER_LOG_NAME

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

MAX_LINE_BYTES = 65_536


class WorkerLog:
    """`worker.log` and the last line of it; a log that cannot be written stops nothing."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / WORKER_LOG_NAME
        self._thread: threading.Thread | None = None
        self.last = ""
        """The last line that the worker wrote, at most 300 characters of it."""

    def follow(self, pipe: IO[bytes]) -> None:
        """Write down what comes through a pipe until its other end is closed."""
        self._thread = threading.Thread(target=self._copy, args=[pipe], daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait for what a worker that has ended wrote last; its children may hold the pipe open."""
        if self._thread is not None:
            self._thread.join(timeout=1.0)
            self._thread = None

    def _copy(self, pipe: IO[bytes]) -> None:
        with pipe, contextlib.closing(self._handler()) as handler:
            while line := pipe.readline(MAX_LINE_BYTES):
                text = line.decode(errors="replace").rstrip("\n")
                self.last = text[-300:]
                handler.handle(logging.makeLogRecord({"msg": text}))

    def _handler(self) -> logging.Handler:
        try:
            private.make(self._path.parent)
            return logging.handlers.RotatingFileHandler(
                self._path, maxBytes=MAX_LOG_BYTES, backupCount=1, encoding="utf-8"
            )
        except OSError:
            return logging.NullHandler()
