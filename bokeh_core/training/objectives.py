"""What a network is asked to minimise on a batch, for each task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F

from bokeh_core.errors import InputError
from bokeh_core.training import losses
from bokeh_core.training.joint_losses import disparity_loss, matte_loss

if TYPE_CHECKING:
    from torch import Tensor

    from bokeh_core.training.feed import Batch
    from bokeh_core.training.loop import Objective
    from bokeh_core.training.precision import Forward
    from bokeh_core.training.recipe import Recipe


def find(recipe: Recipe) -> Objective:
    """Return the objective of a recipe; InputError for a loss that its task does not have."""
    if recipe.task == "joint":
        if recipe.loss != "default":
            raise InputError(f"joint has the loss default only, got {recipe.loss!r}")
        return joint
    loss = losses.find(recipe.task, recipe.loss)

    def single(network: Forward, batch: Batch) -> dict[str, Tensor]:
        logits = network(batch.rgb)
        if recipe.task == "portrait":
            return {"loss": _mean(loss(logits, batch.matte), batch.has_matte)}
        size = (batch.disparity.shape[-2], batch.disparity.shape[-1])
        small = F.adaptive_avg_pool2d(logits, size)
        return {"loss": _mean(loss(small, batch.disparity), batch.has_disparity)}

    return single


def joint(network: Forward, batch: Batch) -> dict[str, Tensor]:
    """Matte and disparity together, for the shared network."""
    matte, disparity = network(batch.rgb)
    subject = F.avg_pool2d(batch.matte, 4)
    return {
        "matte": _mean(matte_loss(matte, batch.matte), batch.has_matte),
        "disparity": _mean(
            disparity_loss(disparity, batch.disparity, subject), batch.has_disparity
        ),
    }


def _mean(values: Tensor, known: Tensor) -> Tensor:
    return (values * known).sum() / known.sum().clamp_min(1)
