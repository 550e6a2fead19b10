"""Where tensors are worked on, and what is said when there is no room left there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch

from bokeh_core.errors import InputError, OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL = (
    "can't allocate memory",  # torch on the host
    "insufficient memory",  # OpenCV
    "out of memory",  # the drivers of CUDA and MPS
    "_status_alloc_failed",  # cuBLAS, cuDNN and their like
)
"""What a fault says that is a lack of memory, in lower case."""


def find(wanted: str | torch.device | None) -> torch.device:
    """Return a device that works; None or "auto": a GPU where there is one.

    Raises
    ------
    InputError
        The device does not exist or cannot be used.
    """
    if wanted is None or wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"device {wanted} cannot be used here: {str(error).splitlines()[0]}"
        ) from error
    return device


def is_full(fault: BaseException) -> bool:
    """Tell a lack of memory from other faults; beside torch's caching allocators few have a class.

    (The rest is RuntimeError and cv2.error with the texts of `FULL`.)
    """
    if isinstance(fault, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(fault).lower()
    return any(words in text for words in FULL)


@contextlib.contextmanager
def room_on(device: torch.device | str) -> Iterator[None]:
    """Turn every way of running out of memory into OutOfMemory; keep callers' code out of it."""
    try:
        yield
    except Exception as fault:
        if not is_full(fault):
            raise
        raise OutOfMemory(f"no room left on {device}") from fault
