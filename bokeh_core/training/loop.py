"""The training loop: stoppable at any moment, and resumed as if nothing had happened."""

from __future__ import annotations

import functools
import math
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import torch
from torch import Tensor, nn

from bokeh_core.errors import InputError, ModelCorrupt
from bokeh_core.training import identity, precision
from bokeh_core.training.precision import Forward

if TYPE_CHECKING:
    from pathlib import Path

    from bokeh_core.training.feed import Batch, Feed
    from bokeh_core.training.recipe import Recipe

Objective = Callable[[Forward, "Batch"], dict[str, Tensor]]
"""Named scalar losses of a batch under a network; their sum is minimised."""


@dataclass(frozen=True)
class Measured:
    """One line of the learning curves."""

    step: int
    seconds: float
    size: int
    rate: float
    losses: dict[str, float]
    validation: dict[str, float] = field(default_factory=dict)


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
    begun_from: str = ""
    """SHA-256 of the weights it began from; empty: none."""
    options: dict[str, Any] = field(default_factory=dict)
    """What it was begun with (`identity.describe`)."""


@dataclass(frozen=True)
class Hooks:
    """What happens beside the training: saving, reporting, validation."""

    save: Callable[[State], None]
    report: Callable[[State, float], None]
    validate: Callable[[State], dict[str, float]] | None = None
    save_every: float = 180.0
    """Seconds."""
    report_every: int = 20
    """Steps."""


def create(network: nn.Module, recipe: Recipe, device: str = "cpu") -> State:
    """Set up optimiser and running mean; the part named `encoder` gets a rate of its own."""
    network = network.to(device).to(memory_format=torch.channels_last)
    inside = {id(p) for p in getattr(network, "encoder", nn.Identity()).parameters()}
    groups: list[dict[str, Any]] = [
        {
            "params": [p for p in network.parameters() if id(p) in inside],
            "base": recipe.encoder_rate,
        },
        {"params": [p for p in network.parameters() if id(p) not in inside], "base": recipe.rate},
    ]
    for group in groups:
        group["lr"] = group["base"]
    if recipe.optimiser == "sgd":
        optimiser: torch.optim.Optimizer = torch.optim.SGD(
            groups, momentum=recipe.momentum, weight_decay=recipe.decay
        )
    else:
        optimiser = torch.optim.AdamW(groups, weight_decay=recipe.decay)
    plateau = None
    if recipe.schedule == "plateau":
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimiser, patience=recipe.patience, factor=recipe.factor
        )
    averaged = {name: value.detach().clone() for name, value in network.state_dict().items()}
    scaled = precision.choose(recipe.precision, device).scaled
    scaler = torch.amp.GradScaler(enabled=scaled)
    return State(network, optimiser, plateau, averaged, scaler)


def train(state: State, feed: Feed, recipe: Recipe, objective: Objective, hooks: Hooks) -> bool:
    """Train to the end of the recipe; returns False when a signal stopped it before that.

    Raises
    ------
    InputError
        The training diverged.
    """
    device = str(next(state.network.parameters()).device)
    forward = precision.choose(recipe.precision, device).forward(state.network)
    saved = time.monotonic()
    with _stop_signals() as caught:
        while (part := done(state, recipe, feed)) < 1 and not caught:
            begun = time.monotonic()
            size = recipe.size(part)
            batch = feed.batch(state.step, size, near=part >= recipe.near).to(device)
            losses = _step(state, recipe, functools.partial(objective, forward, batch), part)
            state.step += 1
            state.seconds += time.monotonic() - begun
            _after_step(state, feed, recipe, hooks, size, losses)
            if time.monotonic() - saved > hooks.save_every:
                hooks.save(state)
                saved = time.monotonic()
    hooks.save(state)
    return done(state, recipe, feed) >= 1


def done(state: State, recipe: Recipe, feed: Feed) -> float:
    """Part of the run that is done, 0 to 1."""
    total = recipe.total_steps(feed.epoch_steps)
    return state.step / total if total else state.seconds / (60 * recipe.minutes)


def _after_step(
    state: State, feed: Feed, recipe: Recipe, hooks: Hooks, size: int, losses: dict[str, Tensor]
) -> None:
    part = done(state, recipe, feed)
    epoch_ends = state.step % feed.epoch_steps == 0
    if not (state.step % hooks.report_every == 0 or epoch_ends or part >= 1):
        return
    validation: dict[str, float] = {}
    if hooks.validate is not None and (epoch_ends or part >= 1):
        validation = hooks.validate(state)
        if state.plateau is not None:
            state.plateau.step(validation["loss"])
    values = {name: float(value) for name, value in losses.items()}
    rate = state.optimiser.param_groups[-1]["lr"]
    state.curve.append(Measured(state.step, state.seconds, size, rate, values, validation))
    hooks.report(state, part)


def _step(
    state: State, recipe: Recipe, compute: Callable[[], dict[str, Tensor]], part: float
) -> dict[str, Tensor]:
    if recipe.schedule == "cosine":
        rise = min(part / recipe.warmup, 1.0) if recipe.warmup else 1.0
        factor = max(rise, 0.01) * 0.5 * (1 + math.cos(math.pi * min(part, 1.0)))
        for group in state.optimiser.param_groups:
            group["lr"] = group["base"] * factor
    state.network.train()
    losses = compute()
    total = torch.stack(list(losses.values())).sum()
    scaler = state.scaler
    state.optimiser.zero_grad(set_to_none=True)
    scaler.scale(total).backward()  # type: ignore[no-untyped-call]
    scaler.unscale_(state.optimiser)
    norm = torch.nn.utils.clip_grad_norm_(state.network.parameters(), recipe.clip)
    if not torch.isfinite(total if scaler.is_enabled() else norm):  # a scaler skips such gradients
        raise InputError(
            f"the training diverged at step {state.step}: a lower --rate is needed; the checkpoint "
            "is that of the last save"
        )
    scaler.step(state.optimiser)
    scaler.update()
    _average(state, recipe)
    return {name: value.detach() for name, value in losses.items()}


def _average(state: State, recipe: Recipe) -> None:
    """Move the running mean; a short memory at first, so the start is forgotten."""
    keep = min(recipe.average, (state.step + 1) / (state.step + 10)) if recipe.average else 0.0
    with torch.no_grad():
        for name, value in state.network.state_dict().items():
            if value.is_floating_point():
                state.averaged[name].lerp_(value, 1 - keep)
            else:
                state.averaged[name].copy_(value)


def save_checkpoint(state: State, path: Path) -> None:
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
        "begun_from": state.begun_from,
        "options": state.options,
    }
    fresh = path.with_suffix(".part")
    torch.save(parts, fresh)
    fresh.replace(path)


def load_checkpoint(state: State, path: Path) -> None:
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


class _stop_signals:  # noqa: N801 - reads as a verb in the with statement
    """Collect SIGTERM and SIGINT instead of dying in the middle of a step."""

    def __enter__(self) -> list[int]:
        caught: list[int] = []
        self._before = {
            number: signal.signal(number, lambda got, _frame: caught.append(got))
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        cv2.setNumThreads(1)  # the feed's thread must not take the network's cores
        return caught

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        cv2.setNumThreads(-1)
