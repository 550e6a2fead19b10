"""Scores on the test part during a training: for the eye and for ReduceLROnPlateau."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.func import functional_call

from bokeh_core.evaluation import depth_metrics
from bokeh_core.evaluation.matte_metrics import FALSE_ALARM, boundary_f, iou

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bokeh_core.training.batches import Batch
    from bokeh_core.training.checkpoint import State
    from bokeh_core.training.feed import Feed
    from bokeh_core.training.objectives import Objective
    from bokeh_core.training.recipe import Recipe, Task

_PLANES: dict[Task, tuple[str, ...]] = {
    "joint": ("matte", "disparity"),
    "portrait": ("matte",),
    "depth": ("disparity",),
}
"""What a task's network gives."""

OUTLINE_PX = 2.0
"""Tolerance of the boundary F-score, in pixels of the network's input."""


def validator(
    feed: Feed, recipe: Recipe, objective: Objective
) -> Callable[[State], dict[str, float]]:
    """Make a function that scores a state's running mean on the pictures of a plain feed.

    The running mean is what a run exports; where the recipe has none it is the weights themselves.
    Scores are means over the pictures that have the label; the loss is one over batches.
    """
    size = recipe.size(1.0)

    def validate(state: State) -> dict[str, float]:
        state.network.eval()
        scores: dict[str, list[float]] = defaultdict(list)
        summed = 0.0
        with torch.no_grad():
            for batch in _once(feed, size):
                there = batch.to(_device(state))
                # apart from the network, so that what is trained stays as it is to the last bit
                found = functional_call(state.network, state.averaged, (there.rgb,))
                losses = objective(partial(_known, found), there)
                summed += len(batch.rgb) * sum(float(loss) for loss in losses.values())
                for name, value in _scores(found, there, recipe.task):
                    scores[name].append(value)
        state.network.train()
        means = {name: float(np.mean(values)) for name, values in scores.items()}
        return {"loss": summed / feed.count, **means}

    return validate


def _once(feed: Feed, size: int) -> Iterator[Batch]:
    """Yield every picture once: the last batch of a feed goes on with the first pictures."""
    step, left = 0, 1
    while left > 0:
        batch = feed.batch(step, size)
        left = left if step else feed.count  # known when they have been read
        yield batch.first(left)
        left -= len(batch.rgb)
        step += 1


def _known(found: Any, _rgb: torch.Tensor) -> Any:
    return found


def _device(state: State) -> str:
    return str(next(state.network.parameters()).device)


def _scores(
    output: torch.Tensor | tuple[torch.Tensor, ...], batch: Batch, task: Task
) -> Iterator[tuple[str, float]]:
    """Yield the scores of each matte on known pixels, rank correlation of each disparity."""
    planes = dict(
        zip(_PLANES[task], output if isinstance(output, tuple) else (output,), strict=True)
    )
    for index in range(len(batch.rgb)):
        if "matte" in planes and batch.has_matte[index]:
            yield from _matte_scores(planes["matte"][index], batch, index)
        if "disparity" in planes and batch.has_disparity[index]:
            size = (batch.disparity.shape[-2], batch.disparity.shape[-1])
            small = torch.nn.functional.adaptive_avg_pool2d(planes["disparity"][index], size)
            yield (
                "rank",
                depth_metrics.rank_correlation(_flat(small), _flat(batch.disparity[index])),
            )


def _matte_scores(logits: torch.Tensor, batch: Batch, index: int) -> Iterator[tuple[str, float]]:
    """Yield IoU and accuracy; boundary F where all is known; false alarms where nobody is."""
    known, told = batch.known[index].cpu().numpy()
    inside, wanted = (logits[0] > 0).cpu().numpy() & known, _half(batch.matte[index]) & known
    yield "accuracy", float((inside == wanted)[known].mean()) if known.any() else 1.0
    if wanted.any():
        yield "iou", iou(inside, wanted)
    else:
        yield "false_alarm", float(inside.mean() > FALSE_ALARM)
    if wanted.any() and known.all():
        yield "boundary", boundary_f(inside, wanted, OUTLINE_PX)
    animals = _half(batch.animals[index]) & told
    if len(logits) > 1 and animals.any():
        yield "animals", iou((logits[1] > 0).cpu().numpy() & told, animals)


def _half(plane: torch.Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.asarray(plane[0].cpu().numpy() > 0.5)


def _flat(plane: torch.Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return plane.flatten().cpu().double().numpy()  # in this order: not every device has doubles
