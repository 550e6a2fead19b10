"""Batches by step number: the same ones after a resume, prepared ahead in one thread."""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from bokeh_core.training import augment, samples

if TYPE_CHECKING:
    from torch import Tensor

    from bokeh_core.training.layouts import Item

AHEAD = 2
"""Batches prepared in advance."""


@dataclass(frozen=True, eq=False)
class Batch:
    """One step's tensors; has_* are (B,) with 1 where the label is known."""

    rgb: Tensor  # (B, 3, H, W) in [0, 1], channels last in memory
    matte: Tensor  # (B, 1, H, W)
    disparity: Tensor  # (B, 1, H/4, W/4)
    has_matte: Tensor
    has_disparity: Tensor

    def to(self, device: str) -> Batch:
        """Move to the device."""
        planes = (self.rgb, self.matte, self.disparity, self.has_matte, self.has_disparity)
        return Batch(*(plane.to(device, non_blocking=True) for plane in planes))


class Feed:
    """Random views of labelled pictures, decoded once per input size and kept in memory."""

    def __init__(
        self, items: list[Item], *, batch: int, seed: int, plain: bool = False, others: bool = True
    ) -> None:
        """Prepare nothing yet.

        Parameters
        ----------
        items, batch, seed
            The pictures, how many to a batch, and what decides their order and views.
        plain
            Give the whole pictures without augmentation, upright ones first, for scores. Each batch
            has the orientation of most of its pictures, so one at most mixes both.
        others
            Paste people of other pictures into some views, whose depth is then unknown.
        """
        self._items = items
        self._batch = batch
        self._seed = seed
        self._plain = plain
        self._others = others
        self._size = 0
        self._near = False
        self._samples: list[samples.Sample] = []
        self._pool = ThreadPoolExecutor(1)
        self._ready: dict[int, Future[Batch]] = {}

    @property
    def epoch_steps(self) -> int:
        """Steps in which every picture is seen about once."""
        return math.ceil(len(self._items) / self._batch)

    def batch(self, step: int, size: int, *, near: bool = False) -> Batch:
        """Return the batch of `step` for inputs of long side `size`; `near`: like the photo."""
        if (size, near) != (self._size, self._near):
            self._finish()
            self._near = near
        if size != self._size:
            self._samples = samples.decode_all(self._items, math.ceil(size * 4 / 3))
            if self._plain:
                self._samples.sort(key=_is_wide)
            self._size = size
        for ahead in range(step, step + AHEAD + 1):
            if ahead not in self._ready:
                self._ready[ahead] = self._pool.submit(self._make, ahead, size, near)
        return self._ready.pop(step).result()

    def close(self) -> None:
        """Stop the thread."""
        self._finish()
        self._pool.shutdown()

    def _finish(self) -> None:
        for future in self._ready.values():
            future.cancel()
        self._pool.submit(int).result()  # what runs has ended
        self._ready.clear()

    def _make(self, step: int, size: int, near: bool) -> Batch:
        chances = augment.NEAR if near else augment.VARIED
        count = len(self._samples)
        rng = np.random.default_rng((self._seed, step))
        target = self._plain_canvas(step, size) if self._plain else augment.canvas(rng, size)
        views = []
        for position in range(step * self._batch, (step + 1) * self._batch):
            epoch, index = divmod(position, count)
            if self._plain:
                views.append(augment.whole(self._samples[index], target))
                continue
            order = np.random.default_rng((self._seed, 1, epoch)).permutation(count)
            other = self._samples[rng.integers(count)] if self._others else None
            views.append(augment.view(rng, self._samples[order[index]], other, target, chances))
        rgb = torch.from_numpy(np.stack([v.rgb for v in views])).permute(0, 3, 1, 2)
        matte = torch.from_numpy(np.stack([v.mask for v in views])[:, None])
        disparity = torch.from_numpy(np.stack([v.depth for v in views])[:, None])
        return Batch(
            rgb.float() / 255,
            matte.float() / 255,
            disparity.float() / 255,
            torch.tensor([float(v.has_mask) for v in views]),
            torch.tensor([float(v.has_depth) for v in views]),
        )

    def _plain_canvas(self, step: int, size: int) -> augment.Canvas:
        first = step * self._batch % len(self._samples)
        shown = self._samples[first : first + self._batch]  # without those seen a second time
        short = size * 3 // 4 // 32 * 32
        if 2 * sum(map(_is_wide, shown)) > len(shown):
            return augment.Canvas(short, size)
        return augment.Canvas(size, short)


def _is_wide(sample: samples.Sample) -> bool:
    height, width = sample.rgb.shape[:2]
    return bool(width > height)
