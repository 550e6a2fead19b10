"""Errors in the user's words: one line each."""

from __future__ import annotations

import os
import traceback

from bokeh_core.errors import BokehError


def words(error: Exception) -> str:
    """Word an error: ours speak for themselves, a fault of ours is owned up to."""
    return " ".join(_text(error).split())


def _text(error: Exception) -> str:
    if isinstance(error, BokehError):
        return str(error)
    if isinstance(error, MemoryError):
        return "not enough memory: close other programs or use a smaller picture"
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if os.environ.get("DEFOCUS_DEBUG"):
        traceback.print_exc()
    return f"internal fault, {type(error).__name__}: {error} (DEFOCUS_DEBUG=1 shows where)"
