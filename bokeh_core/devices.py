"""Where tensors are worked on, and what is said when there is no room left there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch

from bokeh_core.errors import InputError, OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    """Tell a lack of memory from other faults: torch, on the host, and OpenCV have no class for it.

    (They raise RuntimeError and cv2.error with these texts.)
    """
    if isinstance(fault, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(fault).lower()
    return "can't allocate memory" in text or "insufficient memory" in text


@contextlib.contextmanager
def room_on(device: torch.device | str) -> Iterator[None]:
    """Turn every way of running out of memory into OutOfMemory; keep callers' code out of it."""
    try:
        yield
    except Exception as fault:
        if not is_full(fault):
            raise
        raise OutOfMemory(f"no room left on {device}") from fault
