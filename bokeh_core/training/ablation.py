"""The paper's ablation under one budget: the same pictures, steps and recipe for every variant."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from bokeh_core.borders import border_refined
from bokeh_core.devices import room_on
from bokeh_core.evaluation import depth_metrics
from bokeh_core.evaluation.matte_metrics import boundary_f, iou
from bokeh_core.networks.unet import UNetConfig
from bokeh_core.training import losses, precision, runs
from bokeh_core.training.feed import Feed
from bokeh_core.training.validation import OUTLINE_PX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from bokeh_core.training.recipe import Recipe
    from bokeh_core.training.runs import Run, Say

Task = Literal["portrait", "depth"]
Float32 = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


@dataclass(frozen=True)
class Variant:
    """One row of the paper's tables."""

    name: str
    network: UNetConfig
    paper: tuple[float, float] | None
    """Test loss and accuracy that the paper prints for it."""
    border: bool = False
    """With the border post-processing."""
    loss: str = ""
    """Trained with this loss; empty: that of the recipe."""


@dataclass(frozen=True)
class Result:
    """What a variant reached on the test part; rates are of all pixels.

    Of depth, all but `rank` is after the best scale and shift of each picture's disparity.
    """

    variant: Variant
    parameters: int
    minutes: float
    loss: float
    accuracy: float
    iou: float
    boundary: float
    rank: float
    """Spearman's; a matte of two values has no order to speak of, and its report leaves it out."""
    confusion: tuple[tuple[float, float], tuple[float, float]]
    """Rows: truth background, subject; columns: found background, subject."""


_PAPER = {
    "portrait": ((0.921, 0.863), (0.578, 0.927), (0.837, 0.888), (0.901, 0.989), (0.561, 0.993)),
    "depth": ((0.932, 0.527), (0.601, 0.912), (0.837, 0.588), (0.901, 0.589), (0.961, 0.693)),
}


def variants(task: Task, *, pretrained: bool, width: int) -> list[Variant]:
    """Describe the rows: U-Net, DenseNet encoder, batch norm, upsampling, post-processing."""
    dense = UNetConfig("densenet121", pretrained=pretrained)
    networks = (
        ("U-Net", UNetConfig("plain", width=width), False),
        ("DenseNet-121 encoder", dense, False),
        ("U-Net, batch norm", UNetConfig("plain", batch_norm=True, width=width), False),
        (
            "U-Net, batch norm, learnt upsampling",
            UNetConfig("plain", batch_norm=True, upsampling="transposed", width=width),
            False,
        ),
        (
            "DenseNet-121, edges, post-processing",
            replace(dense, sobel=True, batch_norm=True),
            task == "portrait",
        ),
    )
    rows = zip(networks, _PAPER[task], strict=True)
    return [Variant(name, network, paper, border) for (name, network, border), paper in rows]


def loss_variants(task: Task, *, width: int) -> list[Variant]:
    """One network, the U-Net with batch norm, under every loss that the paper names and our own.

    The paper says that it tried them and chose L1; it prints no figures.
    """
    known = losses.MATTE if task == "portrait" else losses.DEPTH
    network = UNetConfig("plain", batch_norm=True, width=width)
    return [Variant(name, network, None, loss=name) for name in known]


def ablate(base: Run, rows: list[Variant], say: Say) -> list[tuple[Result, nn.Module]] | None:
    """Train and score every variant; None when stopped (run again to go on)."""
    results = []
    for index, variant in enumerate(rows, 1):
        say(f"{index}/{len(rows)} {variant.name}")
        run = _run_of(base, variant)
        state = runs.train(run, say)
        if state is None:
            return None
        state.network.load_state_dict(state.averaged)
        results.append((score(state.network, run, variant, state.seconds / 60), state.network))
    return results


def _run_of(base: Run, variant: Variant) -> Run:
    """Give every variant and length a folder: a run of other length is none of this budget."""
    recipe = replace(base.recipe, loss=variant.loss or base.recipe.loss)
    name = re.sub(r"[^a-z0-9]+", "-", variant.name.lower())
    folder = base.folder / f"{name}-{recipe.steps}"
    return replace(base, folder=folder, network=variant.network, recipe=recipe)


def score(network: nn.Module, run: Run, variant: Variant, minutes: float) -> Result:
    """Score a trained variant on the run's test part, whole pictures at its input size."""
    rows = [_scores(*pair, run.recipe, variant) for pair in _predictions(network.eval(), run)]
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return Result(
        variant,
        parameters=sum(p.numel() for p in network.parameters()),
        minutes=minutes,
        loss=means["loss"],
        accuracy=means["accuracy"],
        iou=means["iou"],
        boundary=means["boundary"],
        rank=means["rank"],
        confusion=((means["tn"], means["fp"]), (means["fn"], means["tp"])),
    )


def _predictions(
    network: nn.Module, run: Run
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Yield photo, logits and truth, (C, h, w), of each test picture, in its own orientation."""
    _, held = runs.split(run)
    with closing(Feed(held, batch=1, seed=run.recipe.seed, plain=True)) as feed:
        for step in range(feed.epoch_steps):
            batch = feed.batch(step, run.recipe.size(1.0))
            with room_on(run.device), torch.no_grad():
                logits = network(batch.rgb.to(run.device)).cpu()
            truth = batch.matte
            if run.recipe.task == "depth":
                truth = batch.disparity
                logits = torch.nn.functional.avg_pool2d(logits, 4)
            yield batch.rgb[0], logits[0], truth[0]


def _scores(
    photo: torch.Tensor,
    logits: torch.Tensor,
    truth: torch.Tensor,
    recipe: Recipe,
    variant: Variant,
) -> dict[str, float]:
    """Score one picture; disparity after scale and shift, which some losses leave open."""
    found = torch.sigmoid(logits)[0].numpy()
    if variant.border:
        found = border_refined(found, photo.mean(0).numpy())
    wanted = truth[0].numpy()
    flat, label = (plane.ravel().astype(np.float64) for plane in (found, wanted))
    cut = 0.5
    if recipe.task == "depth":
        found = depth_metrics.align(flat, label).reshape(wanted.shape).astype(np.float32)
        cut = float(np.median(wanted))
    inside, true = found > cut, wanted > cut
    return {
        "loss": float(np.abs(found - wanted).mean()),
        "accuracy": _accuracy(found, wanted, recipe.task),
        "iou": iou(inside, true),
        "boundary": boundary_f(inside, true, OUTLINE_PX),
        "rank": depth_metrics.rank_correlation(flat, label),
        "tn": float((~inside & ~true).mean()),
        "fp": float((inside & ~true).mean()),
        "fn": float((~inside & true).mean()),
        "tp": float((inside & true).mean()),
    }


def _accuracy(found: Float32, wanted: Float32, task: str) -> float:
    """Pixels on the right side (mattes); depths within a factor 1.25 of the label (delta1)."""
    if task == "portrait":
        return float(((found > 0.5) == (wanted > 0.5)).mean())
    depth, truth = (1 / (plane * 0.9 + 0.1) for plane in (found, wanted))
    return float((np.maximum(depth / truth, truth / depth) < 1.25).mean())


def budget(run: Run, *, every_loss: bool = False) -> str:
    """State the budget in a sentence; without the loss when it is what differs."""
    learnt, held = runs.split(run)
    recipe = run.recipe
    arithmetic = precision.choose(recipe.precision, run.device)
    return (
        f"{len(learnt)} pictures to train on, {len(held)} held out, {recipe.steps} steps of "
        f"{recipe.batch} pictures of {recipe.size(1.0)} px, "
        + ("" if every_loss else f"loss {recipe.loss}, ")
        + f"{recipe.optimiser} at {recipe.rate:g} ({recipe.schedule}), seed {recipe.seed}, "
        f"{arithmetic} on {run.device}"
    )
