"""Structured logs: one JSON object per line, with the request's id where there is one."""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import os
import select
import time
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from daemon.runtime import private

if TYPE_CHECKING:
    from typing import TextIO

LOG_NAME = "daemon.log"
WORKER_LOG_NAME = "worker.log"
MAX_LOG_BYTES = 2_000_000


class JsonLines(logging.Formatter):
    """Format a record as `{"time", "level", "event", ...}` with the fields of its `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class Log:
    """A logger whose calls take fields: `log.info("accepted", id=..., session=...)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def info(self, event: str, **fields: object) -> None:
        """Log what normally happens."""
        self._logger.info(event, extra={"fields": fields})

    def warning(self, event: str, **fields: object) -> None:
        """Log what the daemon had to recover from."""
        self._logger.warning(event, extra={"fields": fields})

    def exception(self, event: str, **fields: object) -> None:
        """Log the exception that is being handled, an unexpected one, with its traceback."""
        self._logger.exception(event, extra={"fields": fields})  # noqa: LOG004 - callers handle it


def log_dir() -> Path:
    """Return the folder of the log files (`$DEFOCUS_LOG_DIR` or the system's own)."""
    own = os.environ.get("DEFOCUS_LOG_DIR")
    return Path(own) if own else Path(platformdirs.user_log_dir("defocus", appauthor=False))


def to_file(folder: Path) -> None:
    """Send all logs to `daemon.log` in this folder, or to stderr when it cannot be written.

    A full disk or a missing folder must not stop a render, so failures to write stay silent.
    """
    logging.raiseExceptions = False
    handler: logging.Handler
    try:
        private.make(folder)
        handler = logging.handlers.RotatingFileHandler(
            folder / LOG_NAME, maxBytes=MAX_LOG_BYTES, backupCount=3, encoding="utf-8"
        )
        (folder / LOG_NAME).chmod(0o600)  # an earlier version left it open to all readers
    except OSError:
        handler = _stderr()
    _install(handler)


def to_stderr() -> None:
    """Send all logs to stderr (worker, `defocus daemon run` in a terminal)."""
    _install(_stderr())


def _stderr() -> logging.Handler:
    """Make a handler that drops what stderr cannot take now: the daemon waits for no reader."""
    handler = logging.StreamHandler()
    handler.addFilter(lambda _: _takes_more(handler.stream))
    return handler


def _takes_more(stream: TextIO) -> bool:
    """Whether a line can be written at once: not into a full pipe or a held terminal (Ctrl+S)."""
    with contextlib.suppress(OSError, ValueError, TypeError):  # no file at all, or Windows
        return bool(select.select([], [stream], [], 0)[1])
    return True


def _install(handler: logging.Handler) -> None:
    handler.setFormatter(JsonLines())
    root = logging.getLogger("defocus")
    root.setLevel(logging.INFO)
    root.propagate = False
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
