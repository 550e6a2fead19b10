"""One training run in a folder: data, network, checkpoint, curves, exported weights."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import torch

from bokeh_core import devices
from bokeh_core.errors import InputError, OutOfMemory
from bokeh_core.networks import imagenet
from bokeh_core.networks.efficientnet_lite import LATER
from bokeh_core.networks.shared import SharedPortraitNet, fill
from bokeh_core.networks.unet import UNet
from bokeh_core.training import (
    checkpoint,
    identity,
    loop,
    objectives,
    parts,
    precision,
    provenance,
    run_folder,
    settings,
    weights,
)
from bokeh_core.training.board import Board
from bokeh_core.training.feed import Feed, Loading
from bokeh_core.training.ranks import joined
from bokeh_core.training.run_folder import BEST, CHECKPOINT, SETTINGS
from bokeh_core.training.samples import Broken
from bokeh_core.training.validation import validator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from bokeh_core.networks.unet import UNetConfig
    from bokeh_core.training.checkpoint import State
    from bokeh_core.training.identity import Run
    from bokeh_core.training.ranks import Ranks

Say = Callable[[str], None]

MOST_WORKERS = 8
"""Processes that prepare batches for a GPU, unless told."""


def train(run: Run, say: Say) -> State | None:
    """Begin or resume the run; None when a signal stopped it (run again to go on).

    Where torchrun has started several processes, each takes a part of every batch (`ranks`).

    Raises
    ------
    InputError
        Too many pictures cannot be read, or the recipe, the network and the data do not go
        together; another training is at work in the folder.
    ModelMissing, ModelCorrupt
        The weights to begin from, or the checkpoint to go on from, cannot be used; the folder's
        checkpoint was begun with other options.
    OutOfMemory
        The device has no room for a step; the checkpoint is that of the last save.
    """
    try:
        with joined(run.device) as (ranks, device), devices.room_on(device):
            if run.recipe.batch % ranks.count:
                raise InputError(
                    f"{ranks.count} processes cannot share {run.recipe.batch} pictures"
                )
            here = replace(run, device=device)
            if not ranks.first:
                return _train(here, lambda _: None, ranks)
            with run_folder.locked(run.folder):
                return _train(here, say, ranks)
    except OutOfMemory as error:
        raise OutOfMemory(f"{error}: a smaller --batch or --size needs less") from error


def _train(run: Run, say: Say, ranks: Ranks) -> State | None:
    found = parts.split(run)
    objective = objectives.find(run.recipe)
    state = _begin(run)
    state.options = identity.describe(run, found, state.begun_from)
    kept = run.folder / CHECKPOINT
    if ranks.told(kept.exists()):
        checkpoint.load(state, kept)
        say(f"resumed at step {state.step} after {state.seconds / 60:.1f} min")
    shorter = 0 < run.recipe.steps < state.step
    if shorter:
        say(f"it has more steps than the {run.recipe.steps} asked for: they stay")
    say(
        f"{len(found.training)} pictures to train on, {len(found.validation)} to validate with, "
        f"{len(found.test)} for tests"
    )
    say(f"{precision.choose(run.recipe.precision, run.device)} on {run.device}{_beside(ranks)}")
    if ranks.first and not shorter:  # run.toml tells how the weights came about
        settings.write(run, run.folder / SETTINGS)
    loading = Loading(
        _workers(run),
        None if run.memory is None else round(run.memory * 1e9),
        Broken(run.broken, say),
        ranks.rank,
        ranks.count,
    )
    feed = Feed(
        found.training,
        batch=run.recipe.batch,
        seed=run.recipe.seed,
        others=run.recipe.task != "depth",
        augmented=run.recipe.augmented,
        weights=dict(run.recipe.weights),
        loading=loading,
    )
    check = Feed(
        found.validation,
        batch=run.recipe.batch,
        seed=run.recipe.seed,
        plain=True,
        loading=Loading(broken=loading.broken),
    )
    with contextlib.closing(feed), contextlib.closing(check), _board(run, state, ranks) as board:
        record = provenance.record_of(run, run.folder.name, state.begun_from)
        hooks = loop.Hooks(
            save=lambda current: run_folder.save(current, run.folder, record),
            report=lambda current, part: _report(current, part, say, board),
            validate=validator(check, run.recipe, objective),
            keep_best=lambda current: run_folder.write_weights(current, run.folder / BEST, record),
        )
        if ranks.first:
            check.batch(0, run.recipe.size(1.0))  # what is wrong shows now, not after an epoch
        finished = loop.train(state, feed, run.recipe, objective, hooks, ranks)
    return state if finished else None


def _beside(ranks: Ranks) -> str:
    return f", {ranks.count} processes" if ranks.count > 1 else ""


def _workers(run: Run) -> int:
    """Return as many as there are cores for a GPU; on a CPU the network needs the cores."""
    if run.workers is not None:
        return run.workers
    return 0 if run.device == "cpu" else min((os.cpu_count() or 1) - 1, MOST_WORKERS)


@contextlib.contextmanager
def _board(run: Run, state: State, ranks: Ranks) -> Iterator[Board | None]:
    if not (run.tensorboard and ranks.first):
        yield None
        return
    with contextlib.closing(Board(run.folder / "tensorboard", state.step)) as board:
        yield board


def _report(state: State, part: float, say: Say, board: Board | None) -> None:
    say(describe(state, part))
    if board is not None:
        board.add(state.curve[-1])


def _begin(run: Run) -> State:
    start = network(run)
    begun_from = weights.load(start, run.init) if run.init else ""
    state = loop.create(start, run.recipe, run.device)
    state.begun_from = begun_from
    return state


def network(run: Run) -> nn.Module:
    """Build the run's network with random or ImageNet weights."""
    torch.manual_seed(run.recipe.seed)
    if run.network is not None:
        if run.recipe.task == "joint":
            raise InputError("the U-Net family has one task: train portrait or depth")
        if run.init:
            raise InputError("--init is for the shared network: train joint")
        return _family(run.network, run.encoder_weights)
    if run.recipe.task != "joint":
        raise InputError("the shared network learns both tasks: train joint")
    shared = SharedPortraitNet()
    if run.init and run.encoder_weights:
        raise InputError("the weights of --init have an encoder: --encoder-weights has no effect")
    if run.pretrained and not run.init:
        fill(shared.encoder, imagenet.lite0(run.encoder_weights), LATER)
    return shared


def _family(config: UNetConfig, encoder_weights: str) -> UNet:
    if not encoder_weights:
        return UNet(config)
    if config.encoder != "densenet121":
        raise InputError("ImageNet weights are of DenseNet-121, not of the plain encoder")
    network = UNet(replace(config, pretrained=False))
    imagenet.fill_densenet(network.encoder.layers, encoder_weights)  # type: ignore[arg-type]
    return network


def describe(state: State, part: float) -> str:
    """One line of progress with the time that is left."""
    line = state.curve[-1]
    left = state.seconds * (1 - part) / max(part, 1e-6)
    values = {**line.losses, **{f"val {k}": v for k, v in line.validation.items()}}
    losses = "  ".join(f"{name} {value:.4f}" for name, value in values.items())
    clock = timedelta(seconds=round(max(left, 0)))
    return f"{part:6.1%}  step {line.step}  {line.size} px  {losses}  {clock} left"
