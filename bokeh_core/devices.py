"""Where tensors are worked on, and what is said when there is no room left there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeAlias

import torch

from bokeh_core.errors import InputError, OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Iterator

Device: TypeAlias = str | torch.device | None
"""How every public function is told where to compute, see `find`."""

FULL = (
    "can't allocate memory",  # torch on the host
    "insufficient memory",  # OpenCV
    "out of memory",  # the drivers of CUDA and MPS
    "_status_alloc_failed",  # cuBLAS, cuDNN and their like
)
"""What a fault says that is a lack of memory, in lower case."""


def find(wanted: Device) -> torch.device:
    """Return a device that works, with its number where it has one.

    Parameters
    ----------
    wanted
        None: the best there is, a CUDA GPU or else the CPU. A name: "cpu", "cuda:1", "mps" ...

    Raises
    ------
    InputError
        The device does not exist or cannot be used.
    """
    if wanted is None:
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.empty(1, device=torch.device(wanted)).device
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
