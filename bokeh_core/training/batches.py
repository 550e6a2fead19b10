"""Batches by step number: what a batch holds depends on its step and the seed alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from bokeh_core.training import augment
from bokeh_core.training.samples import Selection
from bokeh_core.training.views import Canvas

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from bokeh_core.training.augment import Others
    from bokeh_core.training.samples import Sample, Store
    from bokeh_core.training.views import View

Kind = Literal["varied", "near", "whole"]
"""Of views: as different as can be; nearly the photo (`augment.NEAR`); the whole photo as it is."""


@dataclass(frozen=True, eq=False)
class Batch:
    """One step's tensors; has_* are (B,) with 1 where the label is known."""

    rgb: Tensor  # (B, 3, H, W) in [0, 1], channels last in memory
    matte: Tensor  # (B, 1, H, W)
    animals: Tensor  # (B, 1, H, W)
    known: Tensor  # (B, 2, H, W), bool: where people are known, and animals
    disparity: Tensor  # (B, 1, H/4, W/4)
    has_matte: Tensor
    has_disparity: Tensor
    broken: tuple[tuple[str, str], ...] = ()
    """Key and reason of pictures that could no longer be read; others came in their place."""

    def to(self, device: str) -> Batch:
        """Move to the device."""
        return self._each(lambda plane: plane.to(device, non_blocking=True))

    def first(self, count: int) -> Batch:
        """Keep the first `count` pictures."""
        return self._each(lambda plane: plane[:count])

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        planes: dict[str, Any] = {
            name: change(value) for name, value in vars(self).items() if name != "broken"
        }
        return replace(self, **planes)

    @classmethod
    def of(cls, views: Sequence[View], broken: Sequence[tuple[str, str]] = ()) -> Batch:
        """Stack views of one canvas."""
        rgb = torch.from_numpy(np.stack([v.rgb for v in views])).permute(0, 3, 1, 2)
        matte, animals, disparity = (
            torch.from_numpy(np.stack(planes)[:, None]).float() / 255
            for planes in (
                [v.mask for v in views],
                [v.animals for v in views],
                [v.depth for v in views],
            )
        )
        people = torch.from_numpy(np.stack([v.known for v in views])[:, None]) > 0
        told = torch.tensor([v.has_animals for v in views])[:, None, None, None]
        return cls(
            rgb.float() / 255,
            matte,
            animals,
            torch.cat((people, people & (told | (matte > 0.5))), 1),  # a person is no animal
            disparity,
            torch.tensor([float(v.has_mask) for v in views]),
            torch.tensor([float(v.has_depth) for v in views]),
            tuple(broken),
        )


@dataclass(frozen=True, eq=False)
class Batches:
    """All batches of one input size and one kind of views, by step."""

    store: Store
    drawn: npt.NDArray[np.intp]
    """Indices into the store, as often as an epoch shows them; shuffled anew for each epoch, but
    not for scores."""
    batch: int
    seed: int
    size: int
    kind: Kind
    shuffled: bool
    others: bool
    """Paste people of other pictures into some views."""
    rank: int = 0
    """Which part of every batch: of a training of several processes."""
    ranks: int = 1

    def __getitem__(self, step: int) -> Batch:
        """Make the batch of a step."""
        share = self.batch // self.ranks
        first = step * self.batch + self.rank * share
        chosen = [self.store[self._index(place)] for place in range(first, first + share)]
        views = self._whole(step, chosen) if self.kind == "whole" else self._views(step, chosen)
        made = Batch.of(views, self.store.found_broken)
        self.store.found_broken.clear()
        return made

    def _index(self, position: int) -> int:
        epoch, place = divmod(position, len(self.drawn))
        if not self.shuffled:
            return int(self.drawn[place])
        rng = np.random.default_rng((self.seed, 1, epoch))
        return int(rng.permutation(self.drawn)[place])

    def _views(self, step: int, chosen: Sequence[Sample]) -> list[View]:
        rng = np.random.default_rng((self.seed, step))
        canvas = augment.canvas(rng, self.size)  # the same for all ranks: they wait for each other
        if self.rank:
            rng = np.random.default_rng((self.seed, step, self.rank))
        chances = augment.NEAR if self.kind == "near" else augment.VARIED
        others = self._others()
        return [augment.view(rng, sample, others, canvas, chances) for sample in chosen]

    def _others(self) -> Others:
        if not self.others:
            return augment.NOBODY
        people, scenes = self.store.people, self.store.scenes
        return augment.Others(Selection(self.store, people), Selection(self.store, scenes))

    def _whole(self, step: int, chosen: Sequence[Sample]) -> list[View]:
        """Show pictures in the orientation of most of the batch, at 4 : 3."""
        first, epoch = step * self.batch, step * self.batch // len(self.drawn)
        shown = [  # by all ranks, without those of the next epoch
            self.store.wide[self._index(place)]
            for place in range(first, first + self.batch)
            if place // len(self.drawn) == epoch
        ]
        short = self.size * 3 // 4 // 32 * 32
        wide = 2 * sum(shown) > len(shown)
        canvas = Canvas(short, self.size) if wide else Canvas(self.size, short)
        return [augment.whole(sample, canvas) for sample in chosen]
