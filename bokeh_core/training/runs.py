"""One training run in a folder: data, network, checkpoint, curves, exported weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import safetensors.torch
import torch

from bokeh_core import devices
from bokeh_core.errors import InputError, OutOfMemory
from bokeh_core.networks import imagenet
from bokeh_core.networks.efficientnet_lite import LATER
from bokeh_core.networks.shared import SharedPortraitNet
from bokeh_core.networks.unet import UNet, UNetConfig
from bokeh_core.training import curves, identity, layouts, loop, objectives, weights
from bokeh_core.training.feed import Feed
from bokeh_core.training.validation import validator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import nn

    from bokeh_core.training.loop import State
    from bokeh_core.training.recipe import Recipe

CHECKPOINT = "checkpoint.pt"
WEIGHTS = "weights.safetensors"


@dataclass(frozen=True)
class Run:
    """Where a training reads and writes, and what it trains."""

    folder: Path
    data: Path
    recipe: Recipe
    network: UNetConfig | None = None
    """None: the shared default network."""
    folders: tuple[str, ...] = ()
    limit: int = 0
    """Training pictures; 0 = all."""
    validation_limit: int = 80
    pretrained: bool = True
    """Begin the shared network's encoder from ImageNet weights."""
    init: str = ""
    """Begin the shared network from these: embedded weights by name, or a safetensors file."""
    device: str = "cpu"


Say = Callable[[str], None]


def train(run: Run, say: Say) -> State | None:
    """Begin or resume the run; None when a signal stopped it (run again to go on).

    Raises
    ------
    InputError
        A picture cannot be read, or the recipe, the network and the data do not go together.
    ModelMissing, ModelCorrupt
        The weights to begin from, or the checkpoint to go on from, cannot be used; the folder's
        checkpoint was begun with other options.
    OutOfMemory
        The device has no room for a step; the checkpoint is that of the last save.
    """
    try:
        with devices.room_on(run.device):
            return _train(run, say)
    except OutOfMemory as error:
        raise OutOfMemory(f"{error}: a smaller --batch or --size needs less") from error


def _train(run: Run, say: Say) -> State | None:
    train_items, test_items = split(run)
    run.folder.mkdir(parents=True, exist_ok=True)
    objective = objectives.find(run.recipe)
    state = _begin(run)
    state.options = identity.describe(run, train_items, state.begun_from)
    checkpoint = run.folder / CHECKPOINT
    if checkpoint.exists():
        loop.load_checkpoint(state, checkpoint)
        say(f"resumed at step {state.step} after {state.seconds / 60:.1f} min")
    say(f"{len(train_items)} pictures to train on, {len(test_items)} to validate with")
    others = run.recipe.task != "depth"
    feed = Feed(train_items, batch=run.recipe.batch, seed=run.recipe.seed, others=others)
    check = Feed(test_items, batch=run.recipe.batch, seed=run.recipe.seed, plain=True)
    size = run.recipe.size(1.0)
    hooks = loop.Hooks(
        save=lambda current: _save(current, run.folder),
        report=lambda current, part: say(describe(current, part)),
        validate=validator(check, len(test_items), run.recipe, objective),
    )
    try:
        check.batch(0, size)  # a test picture that cannot be read shows now, not after an epoch
        finished = loop.train(state, feed, run.recipe, objective, hooks)
    finally:
        feed.close()
        check.close()
    return state if finished else None


def _begin(run: Run) -> State:
    start = network(run)
    begun_from = weights.load(start, run.init) if run.init else ""
    state = loop.create(start, run.recipe, run.device)
    state.begun_from = begun_from
    return state


def split(run: Run) -> tuple[list[layouts.Item], list[layouts.Item]]:
    """Return the training part and the test part; a picture is in one or the other by its name.

    Only pictures count that have a label of the task.

    Raises
    ------
    InputError
        No picture of one part has a label that the task needs.
    """
    needed = layouts.LABELS_OF[run.recipe.task]
    found = layouts.find(run.data, run.folders)
    items = [item for item in found if item.labels & needed]
    learnt = [item for item in items if not item.held_out]
    held = [item for item in items if item.held_out]
    for part, name in ((learnt, "training"), (held, "test")):
        for label in sorted(needed):
            if not any(label in item.labels for item in part):
                raise InputError(
                    f"{run.data}: no picture of the {name} part has a {label}, which "
                    f"{run.recipe.task} needs (it holds {len(found)} labelled pictures, of which "
                    f"{layouts.TEST_PART:.0%} are for tests)"
                )
    return _spread(learnt, run.limit), _spread(held, run.validation_limit)


def _spread(items: Sequence[layouts.Item], limit: int) -> list[layouts.Item]:
    """Take `limit` pictures evenly from the list, so that every folder has its share."""
    if not limit or limit >= len(items):
        return list(items)
    return [items[index * len(items) // limit] for index in range(limit)]


def network(run: Run) -> nn.Module:
    """Build the run's network with random or ImageNet weights."""
    torch.manual_seed(run.recipe.seed)
    if run.network is not None:
        if run.recipe.task == "joint":
            raise InputError("the U-Net family has one task: train portrait or depth")
        if run.init:
            raise InputError("--init is for the shared network: train joint")
        return UNet(run.network)
    if run.recipe.task != "joint":
        raise InputError("the shared network learns both tasks: train joint")
    shared = SharedPortraitNet()
    if run.pretrained and not run.init:
        weights.fill(shared.encoder, imagenet.lite0(), LATER)
    return shared


def describe(state: State, part: float) -> str:
    """One line of progress with the time that is left."""
    line = state.curve[-1]
    left = state.seconds * (1 - part) / max(part, 1e-6)
    values = {**line.losses, **{f"val {k}": v for k, v in line.validation.items()}}
    losses = "  ".join(f"{name} {value:.4f}" for name, value in values.items())
    clock = timedelta(seconds=round(max(left, 0)))
    return f"{part:6.1%}  step {line.step}  {line.size} px  {losses}  {clock} left"


def _save(state: State, folder: Path) -> None:
    loop.save_checkpoint(state, folder / CHECKPOINT)
    halves = {name: value.half().contiguous() for name, value in state.averaged.items()}
    fresh = folder / (WEIGHTS + ".part")
    safetensors.torch.save_file(halves, fresh)
    fresh.replace(folder / WEIGHTS)
    if state.curve:
        curves.write_csv(state.curve, folder / "curves.csv")
        curves.draw(state.curve, folder / "curves.png")
