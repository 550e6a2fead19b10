"""Scores on the test part during a training: for the eye and for ReduceLROnPlateau."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from bokeh_core.evaluation import depth_metrics
from bokeh_core.evaluation.matte_metrics import boundary_f, iou

if TYPE_CHECKING:
    from collections.abc import Callable

    from bokeh_core.training.feed import Batch, Feed
    from bokeh_core.training.loop import Objective, State


def validator(feed: Feed, size: int, objective: Objective) -> Callable[[State], dict[str, float]]:
    """Make a function that scores a state on all pictures of a plain feed."""

    def validate(state: State) -> dict[str, float]:
        state.network.eval()
        total: list[dict[str, float]] = []
        with torch.no_grad():
            for step in range(feed.epoch_steps):
                batch = feed.batch(step, size).to(_device(state))
                losses = objective(state.network, batch)
                scores = _scores(state.network(batch.rgb), batch)
                total.append({"loss": sum(float(x) for x in losses.values()), **scores})
        state.network.train()
        names = dict.fromkeys(name for row in total for name in row)
        return {name: float(np.mean([row[name] for row in total if name in row])) for name in names}

    return validate


def _device(state: State) -> str:
    return str(next(state.network.parameters()).device)


def _scores(output: torch.Tensor | tuple[torch.Tensor, ...], batch: Batch) -> dict[str, float]:
    """IoU, accuracy and boundary F of the matte; rank correlation of the disparity."""
    planes = output if isinstance(output, tuple) else (output, output)
    scores: dict[str, list[float]] = {}
    for index in range(len(batch.rgb)):
        if batch.has_matte[index]:
            inside = (planes[0][index, 0] > 0).cpu().numpy()
            wanted = (batch.matte[index, 0] > 0.5).cpu().numpy()
            scores.setdefault("iou", []).append(iou(inside, wanted))
            scores.setdefault("accuracy", []).append(float((inside == wanted).mean()))
            scores.setdefault("boundary", []).append(boundary_f(inside, wanted, 2.0))
        if batch.has_disparity[index]:
            size = (batch.disparity.shape[-2], batch.disparity.shape[-1])
            small = torch.nn.functional.adaptive_avg_pool2d(planes[1][index], size)
            rank = depth_metrics.rank_correlation(
                small.flatten().double().cpu().numpy(),
                batch.disparity[index].flatten().double().cpu().numpy(),
            )
            scores.setdefault("rank", []).append(rank)
    return {name: float(np.mean(values)) for name, values in scores.items()}
