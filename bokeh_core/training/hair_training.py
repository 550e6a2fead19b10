"""Train the network for hair: gather foregrounds, compose, learn; goes on where it was stopped."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.errors import InputError
from bokeh_core.networks import registry, strands
from bokeh_core.networks.records import ModelRecord
from bokeh_core.training import hair_assets, layouts, run_folder
from bokeh_core.training.hair_assets import Asset
from bokeh_core.training.hair_samples import sample
from bokeh_core.training.precision import cpu_has_bf16

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.random import Generator

    from bokeh_core.training.hair_assets import Bytes
    from bokeh_core.training.hair_samples import Sample
    from bokeh_core.training.items import Item

RATE = 2e-3
MEAN_OVER = 300
"""Steps over which the weights are averaged that are exported."""
SAVED_EVERY_S = 60.0
BACKGROUNDS = 300
TESTED = 96


@dataclass(frozen=True)
class HairRun:
    """What is trained on and for how long; pictures of the testing part are not trained on."""

    data: Path
    folder: Path
    folders: tuple[str, ...] = ()
    portraits: int = 120
    """Foregrounds that are solved for."""
    drawn: int = 240
    """Foregrounds that are drawn."""
    minutes: float = 20.0
    batch: int = 12
    seed: int = 1


@dataclass(frozen=True)
class Scores:
    """Mean error of alpha in the band, in 1/1000, over the held-out foregrounds."""

    coarse: float
    found: float


@dataclass(eq=False)
class _State:
    """What a checkpoint holds."""

    net: strands.StrandNet
    mean: strands.StrandNet
    optimiser: torch.optim.Adam
    seconds: float = 0.0
    step: int = 0

    def save(self, path: Path) -> None:
        part = path.with_suffix(".part")
        parts = {name: getattr(self, name).state_dict() for name in ("net", "mean", "optimiser")}
        torch.save({**parts, "seconds": self.seconds, "step": self.step}, part)
        part.replace(path)

    def load(self, path: Path) -> None:
        found = torch.load(path, weights_only=True)
        for name in ("net", "mean", "optimiser"):
            getattr(self, name).load_state_dict(found[name])
        self.seconds, self.step = found["seconds"], found["step"]


def train(run: HairRun, tell: Callable[[str], None]) -> Scores:
    """Train to the end of the run; gives the scores of the averaged weights.

    Raises
    ------
    InputError
        The pictures hold no head before an even background, or another training is at work in the
        folder.
    """
    with run_folder.locked(run.folder):
        return _train(run, tell)


def _train(run: HairRun, tell: Callable[[str], None]) -> Scores:
    items = [item for item in layouts.find(run.data, run.folders) if "mask" in item.labels]
    learnt = gathered(run, [item for item in items if not item.held_out], "train", tell)
    tested = gathered(run, [item for item in items if item.held_out], "test", tell)
    dice = np.random.default_rng(run.seed)
    torch.manual_seed(run.seed)
    net, mean = (strands.StrandNet().to(memory_format=torch.channels_last) for _ in range(2))
    mean.load_state_dict(net.state_dict())
    state = _State(net, mean, torch.optim.Adam(net.parameters(), RATE))
    path = run.folder / "checkpoint.pt"
    if path.exists():
        state.load(path)
        dice = np.random.default_rng((run.seed, state.step))
    _learn(run, state, learnt, dice, lambda: state.save(path), tell)
    state.save(path)
    return score(state.mean, tested, run.seed)


@dataclass(frozen=True, eq=False)
class Pool:
    """What samples are composed of."""

    assets: Sequence[Asset]
    behind: Sequence[Bytes]

    def draw(self, dice: Generator) -> Sample:
        """Compose one."""
        asset = self.assets[int(dice.integers(len(self.assets)))]
        return sample(asset, self.behind[int(dice.integers(len(self.behind)))], dice)


def gathered(run: HairRun, items: Sequence[Item], part: str, tell: Callable[[str], None]) -> Pool:
    """Find or make the foregrounds, and keep them in the run's folder; read the backgrounds."""
    dice = np.random.default_rng((run.seed, len(part)))
    order = [items[i] for i in dice.permutation(len(items))]
    share = 1.0 if part == "train" else 0.2
    path = run.folder / f"{part}.npz"
    if path.exists():
        kept = np.load(path)
        assets = [Asset(*pair) for pair in zip(kept["colours"], kept["alpha"], strict=True)]
    else:
        found = (hair_assets.from_portrait(item.read()) for item in order)
        wanted = max(round(share * run.portraits), 1)
        assets = list(itertools.islice((asset for asset in found if asset), wanted))
        if not assets:
            raise InputError(f"{run.data}: no head before an even background in the {part} part")
        tell(f"{part}: {len(assets)} foregrounds solved for")
        skins = itertools.islice(itertools.cycle(order), round(share * run.drawn))
        assets += [hair_assets.drawn(item.read().rgb, dice) for item in skins]
        colours, alpha = ([getattr(a, name) for a in assets] for name in ("colours", "alpha"))
        np.savez_compressed(path, colours=np.stack(colours), alpha=np.stack(alpha))
    behind = [item.read().rgb for item in order[-round(share * BACKGROUNDS) :]]
    return Pool(assets, behind)


def _learn(
    run: HairRun,
    state: _State,
    pool: Pool,
    dice: Generator,
    save: Callable[[], None],
    tell: Callable[[str], None],
) -> None:
    saved = time.monotonic()
    losses: list[float] = []
    while (done := state.seconds / (60 * run.minutes)) < 1:
        began = time.monotonic()
        for group in state.optimiser.param_groups:
            warm = min((state.step + 1) / 50, 1.0)
            group["lr"] = RATE * warm * 0.5 * (1 + math.cos(math.pi * done))
        losses.append(_step(state, [pool.draw(dice) for _ in range(run.batch)]))
        now = time.monotonic()
        state.seconds += now - began
        if now - saved > SAVED_EVERY_S:
            saved = now
            save()
            tell(f"step {state.step}, {done:.0%}: loss {np.mean(losses):.4f}")
            losses.clear()


def _step(state: _State, samples: Sequence[Sample]) -> float:
    sharp, smooth, alpha, band = batch_of(samples)
    state.optimiser.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bf16()):
        found = state.net(sharp, smooth)
    loss = loss_of(found.float(), alpha, band)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.net.parameters(), 1.0)
    state.optimiser.step()
    state.step += 1
    share = 1 / min(state.step, MEAN_OVER)
    with torch.no_grad():
        for mean, own in zip(state.mean.parameters(), state.net.parameters(), strict=True):
            mean.lerp_(own, share)
    return float(loss.detach())


def batch_of(samples: Sequence[Sample]) -> list[Tensor]:
    """Stack samples: (B, C, h, w) each, one channel for alpha and band."""
    stacked = (np.stack(kind) for kind in zip(*samples, strict=True))
    tensors = (torch.from_numpy(np.asarray(kind, np.float32)) for kind in stacked)
    return [t.permute(0, 3, 1, 2) if t.ndim == 4 else t[:, None] for t in tensors]


def loss_of(found: Tensor, alpha: Tensor, band: Tensor) -> Tensor:
    """Mean absolute error of alpha in the band, and half that of its differences: the strands."""
    wrong = (found - alpha) * band
    across, down = wrong.diff(dim=3).abs().sum(), wrong.diff(dim=2).abs().sum()
    total: Tensor = (wrong.abs().sum() + 0.5 * (across + down)) / band.sum().clamp(min=1)
    return total


def score(net: strands.StrandNet, pool: Pool, seed: int) -> Scores:
    """Score a network on the same samples of a pool every time."""
    dice = np.random.default_rng(seed)
    before, after = [], []
    for _ in range(TESTED):
        sharp, smooth, alpha, band = batch_of([pool.draw(dice)])
        with torch.inference_mode():
            found = net.eval()(sharp, smooth).clamp(0, 1)
        before.append(float(F.l1_loss(sharp[:, 3:4] * band, alpha * band, reduction="sum")))
        after.append(float(F.l1_loss(found * band, alpha * band, reduction="sum")))
        before[-1], after[-1] = (1000 * x / float(band.sum()) for x in (before[-1], after[-1]))
    return Scores(float(np.mean(before)), float(np.mean(after)))


def export(run: HairRun, name: str, licence: str) -> ModelRecord:
    """Write the averaged weights under a name of their own among the user's; raises InputError."""
    state = torch.load(run.folder / "checkpoint.pt", weights_only=True)
    record = ModelRecord(
        name=name,
        tasks=("hair",),
        architecture=strands.ARCHITECTURE,
        file="",
        sha256="",
        bytes=0,
        input_size=0,
        licence=licence,
        data=", ".join(run.folders) or run.data.name,
        teacher="closed-form matting (Levin et al. 2008) of heads before even backgrounds; strands "
        "drawn by the program",
        command=f"defocus train hair --data DIR --minutes {run.minutes:g} --seed {run.seed}",
    )
    return registry.export(record, state["mean"])
