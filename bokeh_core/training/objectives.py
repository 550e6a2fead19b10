"""What a network is asked to minimise on a batch, for each task."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.errors import InputError
from bokeh_core.training import losses
from bokeh_core.training.joint_losses import disparity_loss, matte_loss, region_loss
from bokeh_core.training.precision import Forward

if TYPE_CHECKING:
    from bokeh_core.training.batches import Batch
    from bokeh_core.training.recipe import Recipe

Objective = Callable[[Forward, "Batch"], dict[str, Tensor]]
"""Named scalar losses of a batch under a network; their sum is minimised."""

_SURELY_NOT = -16.0  # as a logit: 1e-7
_ANIMALS = 0.5  # their share beside people, who are what the product is for


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
            people = known_only(logits, batch.matte, batch.known[:, :1])
            return {"loss": _mean(loss(*people), batch.has_matte)}
        size = (batch.disparity.shape[-2], batch.disparity.shape[-1])
        small = F.adaptive_avg_pool2d(logits, size)
        return {"loss": _mean(loss(small, batch.disparity), batch.has_disparity)}

    return single


def joint(network: Forward, batch: Batch) -> dict[str, Tensor]:
    """People, animals and disparity together, for the shared network."""
    mattes, disparity = network(batch.rgb)
    known, told = batch.known[:, :1], batch.known[:, 1:]
    people = known_only(mattes[:, :1], batch.matte, known)
    animals = known_only(mattes[:, 1:], batch.animals, told)
    subject = F.avg_pool2d(torch.where(known, batch.matte, 0.5), 4)
    return {
        "matte": _mean(matte_loss(*people), batch.has_matte),
        "animals": _ANIMALS * _mean(region_loss(*animals), batch.has_matte),
        "disparity": _mean(
            disparity_loss(disparity, batch.disparity, subject), batch.has_disparity
        ),
    }


def known_only(logits: Tensor, target: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Let unknown pixels agree with their target whatever was found, so no loss pulls at them.

    Parameters
    ----------
    logits, target, known : Tensor (B, 1, H, W)
        Target in [0, 1]; known is of bools.
    """
    return torch.where(known, logits, _SURELY_NOT), torch.where(known, target, 0.0)


def _mean(values: Tensor, known: Tensor) -> Tensor:
    return (values * known).sum() / known.sum().clamp_min(1)
