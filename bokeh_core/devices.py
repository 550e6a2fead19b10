"""Where tensors are worked on, and what is said when there is no room left there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch

from bokeh_core.errors import InputError, OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST_IS_FULL = "can't allocate memory"
"""Torch has an error of its own for a full GPU, and a RuntimeError with this text for the host."""


def find(wanted: str | torch.device | None) -> torch.device:
    """Return a device that works; by default a GPU where there is one.

    Raises
    ------
    InputError
        The device does not exist or cannot be used.
    """
    if wanted is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"device {wanted} cannot be used here: {str(error).splitlines()[0]}"
        ) from error
    return device


@contextlib.contextmanager
def room_on(device: torch.device | str) -> Iterator[None]:
    """Turn every way of running out of memory into OutOfMemory; keep callers' code out of it."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemory(f"no room left on {device}") from error
    except RuntimeError as error:
        if HOST_IS_FULL not in str(error):
            raise
        raise OutOfMemory(f"no room left on {device}") from error
