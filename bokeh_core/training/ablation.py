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
from bokeh_core.training import losses, parts, precision, runs
from bokeh_core.training.feed import Feed
from bokeh_core.training.validation import OUTLINE_PX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import nn

    from bokeh_core.training.identity import Run
    from bokeh_core.training.items import Item
    from bokeh_core.training.recipe import Recipe
    from bokeh_core.training.runs import Say

Task = Literal["portrait", "depth"]
Study = Literal["batches", "rates"]
Float32 = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


Confusion = tuple[tuple[float, float], tuple[float, float]]
BATCHES = (2, 4, 8, 16)
RATES = (0.1, 0.03, 0.01, 0.003, 0.001)
"""Of the paper's studies, which go from its batch of 8 and its rate of .1 down to .001."""


@dataclass(frozen=True)
class Variant:
    """One row of a table."""

    name: str
    network: UNetConfig
    paper: tuple[float, float] | None
    """Test loss and accuracy that the paper prints for it."""
    border: bool = False
    """With the border post-processing."""
    loss: str = ""
    """Trained with this loss; empty: that of the recipe."""
    batch: int = 0
    """Pictures to a step, at as many pictures in all; 0: those of the recipe."""
    rate: float = 0.0
    """Of learning; 0: that of the recipe."""


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
    confusion: Confusion
    """Rows: truth background, subject; columns: found background, subject."""
    learnt_confusion: Confusion
    """The same over pictures of the training part, as many at most as were scored."""


PAPER = {
    "portrait": ((0.921, 0.863), (0.578, 0.927), (0.837, 0.888), (0.901, 0.989), (0.561, 0.993)),
    "depth": ((0.601, 0.912), (0.932, 0.527), (0.837, 0.588), (0.901, 0.589), (0.961, 0.693)),
}
"""Test loss and accuracy of the rows of the paper's tables, in its order."""


def variants(task: Task, *, pretrained: bool, width: int) -> list[Variant]:
    """Describe the five rows of the paper's tables, and two that it tells of only in words.

    U-Net, DenseNet encoder, batch norm, upsampling, post-processing; without skip connections
    (its 4.1), the edge channel alone (4.2.1).
    """
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
    rows = zip(networks, PAPER[task], strict=True)
    tables = [Variant(name, network, paper, border) for (name, network, border), paper in rows]
    plain = UNetConfig("plain", width=width)
    return [
        *tables,
        Variant("U-Net, no skip connections", replace(plain, skips=False), None),
        Variant("U-Net, edges", replace(plain, sobel=True), None),
    ]


def loss_variants(task: Task, *, width: int) -> list[Variant]:
    """One network, the U-Net with batch norm, under every loss that the paper names and our own.

    The paper says that it tried them and chose L1; it prints no figures.
    """
    known = losses.MATTE if task == "portrait" else losses.DEPTH
    network = UNetConfig("plain", batch_norm=True, width=width)
    return [Variant(name, network, None, loss=name) for name in known]


def study(kind: Study, *, width: int) -> list[Variant]:
    """One network, the U-Net with batch norm, at every batch size or every rate."""
    network = UNetConfig("plain", batch_norm=True, width=width)
    if kind == "batches":
        return [Variant(f"batch {size}", network, None, batch=size) for size in BATCHES]
    return [Variant(f"rate {rate:g}", network, None, rate=rate) for rate in RATES]


def ablate(base: Run, rows: list[Variant], say: Say) -> list[tuple[Result, nn.Module]] | None:
    """Train and score every variant; None when stopped (run again to go on)."""
    parts.tested(base)  # shows now that there is nothing to score, not after the first training
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
    """Return the run of a variant; every length has a folder: another is not of this budget."""
    recipe = replace(base.recipe, loss=variant.loss or base.recipe.loss)
    if variant.rate:
        recipe = replace(recipe, rate=variant.rate, encoder_rate=variant.rate)
    if variant.batch:
        steps = round(recipe.steps * recipe.batch / variant.batch)
        recipe = replace(recipe, batch=variant.batch, steps=steps)
    name = re.sub(r"[^a-z0-9]+", "-", variant.name.lower())
    folder = base.folder / f"{name}-{recipe.steps or f'{recipe.epochs:g}-epochs'}"
    return replace(base, folder=folder, network=variant.network, recipe=recipe)


def _length(recipe: Recipe) -> str:
    return f"{recipe.steps} steps" if recipe.steps else f"{recipe.epochs:g} epochs"


def score(network: nn.Module, run: Run, variant: Variant, minutes: float) -> Result:
    """Score a trained variant on the run's test part, whole pictures at its input size."""
    means = _means(network, run, variant, parts.tested(run))
    learnt = _means(network, run, variant, learnt_of(run))
    return Result(
        variant,
        parameters=sum(p.numel() for p in network.parameters()),
        minutes=minutes,
        loss=means["loss"],
        accuracy=means["accuracy"],
        iou=means["iou"],
        boundary=means["boundary"],
        rank=means["rank"],
        confusion=_confusion(means),
        learnt_confusion=_confusion(learnt),
    )


def learnt_of(run: Run) -> list[Item]:
    """Choose the pictures of the training part whose confusion is counted."""
    return parts.spread(parts.split(run).training, run.test_limit)


def _confusion(means: dict[str, float]) -> Confusion:
    return ((means["tn"], means["fp"]), (means["fn"], means["tp"]))


def _means(
    network: nn.Module, run: Run, variant: Variant, items: Sequence[Item]
) -> dict[str, float]:
    found = _predictions(network.eval(), run, items)
    rows = [_scores(*pair, run.recipe, variant) for pair in found]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _predictions(
    network: nn.Module, run: Run, items: Sequence[Item]
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Yield photo, logits and truth, (C, h, w), of each picture, in its own orientation."""
    with closing(Feed(items, batch=1, seed=run.recipe.seed, plain=True)) as feed:
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
    found = parts.split(run)
    recipe = run.recipe
    arithmetic = precision.choose(recipe.precision, run.device)
    return (
        f"{len(found.training)} pictures to train on, {len(found.validation)} to validate with, "
        f"{len(found.test)} held out for the scores, {_length(recipe)} of "
        f"{recipe.batch} pictures of {recipe.size(1.0)} px, "
        + ("" if every_loss else f"loss {recipe.loss}, ")
        + f"{recipe.optimiser} at {recipe.rate:g} ({recipe.schedule}), seed {recipe.seed}, "
        f"{arithmetic} on {run.device}"
    )
