"""What a training keeps between two of its steps, in memory and in a file."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from bokeh_core.errors import ModelCorrupt
from bokeh_core.training import identity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """One line of the learning curves."""

    step: int
    seconds: float
    size: int
    rate: float
    losses: dict[str, float]
    """Means over the steps since the line before."""
    validation: dict[str, float] = field(default_factory=dict)


@dataclass
class Interval:
    """The losses since the last line of the curves."""

    sums: dict[str, Tensor] = field(default_factory=dict)
    steps: int = 0

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Count one step's; they stay where they are, so nothing waits for a GPU."""
        self.sums = {name: self.sums.get(name, 0) + value for name, value in losses.items()}
        self.steps += 1

    def close(self) -> dict[str, float]:
        """Return the means, and begin anew."""
        means = {name: float(value) / self.steps for name, value in self.sums.items()}
        self.sums, self.steps = {}, 0
        return means


@dataclass
class State:
    """What a checkpoint holds."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    plateau: torch.optim.lr_scheduler.ReduceLROnPlateau | None
    averaged: dict[str, Tensor]
    scaler: torch.amp.GradScaler
    step: int = 0
    seconds: float = 0.0
    curve: list[Measured] = field(default_factory=list)
    interval: Interval = field(default_factory=Interval)
    best: float = math.inf
    """The lowest loss on the validation part so far."""
    begun_from: str = ""
    """SHA-256 of the weights it began from; empty: none."""
    options: dict[str, Any] = field(default_factory=dict)
    """What it was begun with (`identity.describe`)."""


def save(state: State, path: Path) -> None:
    """Write beside the place and move there, so that a kill leaves the old checkpoint whole."""
    parts = {
        "network": state.network.state_dict(),
        "optimiser": state.optimiser.state_dict(),
        "plateau": None if state.plateau is None else state.plateau.state_dict(),
        "averaged": state.averaged,
        "scaler": state.scaler.state_dict(),
        "step": state.step,
        "seconds": state.seconds,
        "curve": [vars(line) for line in state.curve],
        "interval": vars(state.interval),
        "best": state.best,
        "begun_from": state.begun_from,
        "options": state.options,
    }
    fresh = path.with_suffix(".part")
    torch.save(parts, fresh)
    fresh.replace(path)


def load(state: State, path: Path) -> None:
    """Fill `state` from a checkpoint.

    Raises
    ------
    ModelCorrupt
        It is damaged, of another network, or was begun with other options than `state`.
    """
    try:
        parts = torch.load(path, map_location="cpu", weights_only=True)
        # a checkpoint from before the options were kept has none: nothing to hold against it
        others = identity.differences(parts.get("options", {}), state.options)
        if not others:
            _fill(state, parts)
    except Exception as error:
        raise ModelCorrupt(
            f"{path} is not a checkpoint of this training ({type(error).__name__}): move it away "
            "to begin anew, or use the options it was begun with"
        ) from error
    if others:
        raise ModelCorrupt(
            f"{path} was begun with other options ({'; '.join(others[:3])}): use those to go on, "
            "move it away to begin anew, or name another folder with --run"
        )


def _fill(state: State, parts: dict[str, Any]) -> None:
    state.network.load_state_dict(parts["network"])
    state.optimiser.load_state_dict(parts["optimiser"])
    if state.plateau is not None:
        state.plateau.load_state_dict(parts["plateau"])
    if state.scaler.is_enabled() and parts["scaler"]:  # empty: it was begun without one
        state.scaler.load_state_dict(parts["scaler"])
    state.averaged = {
        name: value.to(state.averaged[name].device) for name, value in parts["averaged"].items()
    }
    state.step, state.seconds = parts["step"], parts["seconds"]
    state.curve = [Measured(**line) for line in parts["curve"]]
    state.begun_from = parts["begun_from"]
    # a checkpoint from before these were kept: they begin with it
    state.interval = Interval(**parts.get("interval", {}))
    state.best = parts.get("best", math.inf)
