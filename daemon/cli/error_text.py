"""Errors in the user's words: one line each, fit for a terminal."""

from __future__ import annotations

import errno
import os
import sys
import traceback

from bokeh_core.errors import BokehError, reason

NO_MEMORY = "not enough memory: close other programs, raise the limit or use a smaller picture"
_STARVED = (
    "failed to map segment",
    "cannot allocate memory",
    "can't allocate memory",
    "can't start new thread",
    "bad_alloc",
    "paging file is too small",
)
"""What loaders, libraries and torch say when the system gives them no memory."""


def words(error: Exception) -> str:
    """Word an error: ours speak for themselves, a fault of ours is owned up to."""
    return printable(" ".join(_text(error).split()))


def printable(text: str) -> str:
    """Escape what a terminal would obey or hide: control characters and undecodable bytes."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def shown(path: object) -> str:
    """Return a path for stdout: escaped for a terminal, byte for byte for a pipe."""
    return printable(str(path)) if sys.stdout.isatty() else str(path)


def _text(error: Exception) -> str:
    if isinstance(error, BokehError):
        return str(error)
    if _is_starved(error):
        return NO_MEMORY
    if isinstance(error, FileExistsError) and error.filename:  # of mkdir
        return f"{error.filename}: is there already and is no folder"
    if isinstance(error, OSError):
        return f"{error.filename}: {reason(error)}" if error.filename else reason(error)
    if os.environ.get("DEFOCUS_DEBUG"):
        traceback.print_exc()
    return f"internal fault, {type(error).__name__}: {error} (DEFOCUS_DEBUG=1 shows where)"


def _is_starved(error: Exception) -> bool:
    """Whether the system gave no memory, be it to our arrays or to a library that was loading."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    said = str(error).lower()
    return any(words in said for words in _STARVED)
