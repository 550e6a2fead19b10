"""The training loop: stoppable at any moment, and resumed as if nothing had happened."""

from __future__ import annotations

import functools
import math
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import torch
from torch import Tensor, nn

from bokeh_core.errors import InputError
from bokeh_core.training import precision
from bokeh_core.training.checkpoint import Measured, State
from bokeh_core.training.ranks import ALONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from bokeh_core.training.feed import Feed
    from bokeh_core.training.objectives import Objective
    from bokeh_core.training.ranks import Ranks
    from bokeh_core.training.recipe import Recipe


@dataclass(frozen=True)
class Hooks:
    """What happens beside the training: saving, reporting, validation."""

    save: Callable[[State], None]
    report: Callable[[State, float], None]
    validate: Callable[[State], dict[str, float]] | None = None
    keep_best: Callable[[State], None] = lambda _: None
    """Called when the loss on the validation part was never lower."""
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


def train(
    state: State,
    feed: Feed,
    recipe: Recipe,
    objective: Objective,
    hooks: Hooks,
    ranks: Ranks = ALONE,
) -> bool:
    """Train to the end of the recipe; returns False when a signal stopped it before that.

    Of several processes (`ranks`) the first calls the hooks and keeps the time.

    Raises
    ------
    InputError
        The training diverged.
    """
    device = str(next(state.network.parameters()).device)
    arithmetic = precision.choose(recipe.precision, device)
    forward = arithmetic.forward(ranks.together(state.network))
    saved = time.monotonic()
    with _stop_signals() as caught:
        part, stop = ranks.told((done(state, recipe, feed), bool(caught)))
        while part < 1 and not stop:
            begun = time.monotonic()
            size = recipe.size(part)
            batch = feed.batch(state.step, size, near=part >= recipe.near).to(device)
            compute = functools.partial(objective, forward, batch)
            state.interval.add(_step(state, recipe, compute, part, ranks))
            state.step += 1
            state.seconds += time.monotonic() - begun
            part, stop = ranks.told((done(state, recipe, feed), bool(caught)))
            _after_step(state, feed, hooks, size, part, ranks)
            if time.monotonic() - saved > hooks.save_every and ranks.first:
                hooks.save(state)
                saved = time.monotonic()
    if ranks.first:
        hooks.save(state)
    return part >= 1


def done(state: State, recipe: Recipe, feed: Feed) -> float:
    """Part of the run that is done, 0 to 1."""
    total = recipe.total_steps(feed.epoch_steps)
    return state.step / total if total else state.seconds / (60 * recipe.minutes)


def _after_step(
    state: State, feed: Feed, hooks: Hooks, size: int, part: float, ranks: Ranks
) -> None:
    epoch_ends = state.step % feed.epoch_steps == 0
    if not (state.step % hooks.report_every == 0 or epoch_ends or part >= 1):
        return
    validation: dict[str, float] = {}
    if hooks.validate is not None and (epoch_ends or part >= 1):
        validation = ranks.told(hooks.validate(state) if ranks.first else {})
        if state.plateau is not None:
            state.plateau.step(validation["loss"])
        if validation["loss"] < state.best:
            state.best = validation["loss"]
            if ranks.first:
                hooks.keep_best(state)
    losses = ranks.mean(state.interval.close())
    rate = state.optimiser.param_groups[-1]["lr"]
    state.curve.append(Measured(state.step, state.seconds, size, rate, losses, validation))
    if ranks.first:
        hooks.report(state, part)


def _step(
    state: State,
    recipe: Recipe,
    compute: Callable[[], dict[str, Tensor]],
    part: float,
    ranks: Ranks,
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
    sound = torch.isfinite(total if scaler.is_enabled() else norm)  # a scaler skips such gradients
    if ranks.any(not sound):
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
