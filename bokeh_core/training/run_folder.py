"""The folder of a run: what lies in it, and who may write there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import filelock

from bokeh_core.errors import InputError
from bokeh_core.networks import weights_file
from bokeh_core.training import checkpoint, curves

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bokeh_core.networks.records import ModelRecord
    from bokeh_core.training.checkpoint import State

CHECKPOINT = "checkpoint.pt"
WEIGHTS = "weights.safetensors"
"""The running mean at the end, or at the last save."""

BEST = "best.safetensors"
"""The running mean when the loss on the validation part was lowest."""

SETTINGS = "run.toml"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder and keep other trainings out of it; InputError when one is at work there."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise InputError(
            f"another training is at work in {folder}: wait for it, or name another with --run"
        ) from None
    try:
        yield
    finally:
        lock.release()


def save(state: State, folder: Path, record: ModelRecord) -> None:
    """Write checkpoint, weights and curves, each beside its place and moved there when whole."""
    checkpoint.save(state, folder / CHECKPOINT)
    write_weights(state, folder / WEIGHTS, record)
    if state.curve:
        curves.write_csv(state.curve, folder / "curves.csv")
        curves.draw(state.curve, folder / "curves.png")


def write_weights(state: State, path: Path, record: ModelRecord) -> None:
    """Write the running mean as fp16, and what it is."""
    weights_file.save(path, state.averaged, record)
