"""What Pillow and tifffile say is off while reads, which may be in several threads, go on."""

from __future__ import annotations

import contextlib
import logging
import threading
import warnings
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Quiet:
    """How many reads go on, and what puts the settings back."""

    lock = threading.Lock()
    reads = 0
    usual = contextlib.ExitStack()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Be silent from the first read's begin to the last one's end: the settings are the process's.

    Each read putting back what it found would leave another's silence behind.
    """
    with _Quiet.lock:
        if _Quiet.reads == 0:
            _Quiet.usual.enter_context(_silence())
        _Quiet.reads += 1
    try:
        yield
    finally:
        with _Quiet.lock:
            _Quiet.reads -= 1
            if _Quiet.reads == 0:
                _Quiet.usual.close()


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Silence what Pillow warns of and tifffile logs on odd files: what matters is checked here."""
    limit, log = Image.MAX_IMAGE_PIXELS, logging.getLogger("tifffile")
    level = log.level
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.MAX_IMAGE_PIXELS = None
            log.setLevel(logging.CRITICAL)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit
        log.setLevel(level)
