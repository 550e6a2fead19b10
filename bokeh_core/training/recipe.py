"""What decides a training run, apart from the pictures: one frozen description."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from bokeh_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bokeh_core.training.precision import Precision

Task = Literal["joint", "portrait", "depth"]
Optimiser = Literal["adamw", "sgd"]
Schedule = Literal["cosine", "plateau"]

LENGTHS = ("steps", "epochs", "minutes")
"""Fields of a recipe that say how long: the first one greater than 0 counts."""


@dataclass(frozen=True)
class Recipe:
    """How to train; the defaults are those of the shared network from ImageNet's encoder on."""

    task: Task = "joint"
    loss: str = "default"
    steps: int = 0
    """Length in optimiser steps; 0: see `epochs`."""
    epochs: float = 0.0
    """Length in passes over the pictures; 0: see `minutes`."""
    minutes: float = 90.0
    """Length in minutes of steps on this machine; scores, saving and time stopped do not count."""
    batch: int = 8
    optimiser: Optimiser = "adamw"
    rate: float = 1.2e-3
    encoder_rate: float = 4e-4
    """Of the pretrained part."""
    momentum: float = 0.99
    decay: float = 1e-4
    schedule: Schedule = "cosine"
    warmup: float = 0.03
    """Part of a cosine schedule with rising rates."""
    patience: int = 0
    factor: float = 0.9
    """Plateau: epochs without a better validation loss before the rate is cut to `factor`."""
    sizes: tuple[tuple[float, int], ...] = ((0.0, 256), (0.55, 320), (0.82, 384))
    """(from this part of the run on, long side of the input)."""
    near: float = 0.7
    """From this part of the run on, most views are nearly the photo itself (`augment.NEAR`)."""
    average: float = 0.98
    """Decay of the running mean of the weights that is exported; 0: export the weights."""
    clip: float = 5.0
    """Largest norm of the gradient."""
    precision: Precision = "auto"
    """Of the network's matrix work; "auto": what the device gains by (`precision.choose`)."""
    seed: int = 1
    augmented: bool = True
    """Learn random views of the pictures; else the pictures as they are, stretched to 4 : 3."""
    weights: tuple[tuple[str, int], ...] = ()
    """(folder, how often its pictures are seen in an epoch); 1 for folders not named."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, int | float) and not 0 <= value < math.inf:  # also refuses nan
                raise InputError(f"{name} must be a finite number, 0 or more, got {value}")
        if self.steps <= 0 and self.epochs <= 0 and self.minutes <= 0:
            raise InputError("one of steps, epochs and minutes must be greater than 0")
        if self.factor >= 1:
            raise InputError(f"factor must be less than 1, got {self.factor}")
        if self.batch < 1:
            raise InputError(f"batch must be at least 1, got {self.batch}")
        if self.rate <= 0 or self.encoder_rate <= 0:
            raise InputError(
                f"rate must be greater than 0, got {min(self.rate, self.encoder_rate)}"
            )
        for _, size in self.sizes:
            if size < 64 or size % 32:
                raise InputError(f"input sizes must be multiples of 32 from 64 on, got {size}")

    def total_steps(self, epoch_steps: int) -> int:
        """Length in steps, or 0 when it is sized by minutes."""
        return self.steps or math.ceil(self.epochs * epoch_steps)

    def with_sizes(self, sides: Sequence[int]) -> tuple[tuple[float, int], ...]:
        """Return other `sizes`: one for the whole run, or one each for the parts of this recipe."""
        if len(sides) == 1:
            return ((0.0, sides[0]),)
        if len(sides) != len(self.sizes):
            wanted = f"1 or {len(self.sizes)} sizes" if len(self.sizes) > 1 else "one size"
            raise InputError(f"this training has {wanted}, got {len(sides)}")
        return tuple((start, side) for (start, _), side in zip(self.sizes, sides, strict=True))

    def size(self, part: float) -> int:
        """Long side of the input at this part of the run."""
        return [side for start, side in self.sizes if part >= start][-1]


FURTHER = Recipe(
    rate=9e-4,
    encoder_rate=3e-4,
    sizes=((0.0, 320), (0.3, 384), (0.7, 448)),
    average=0.998,
)
"""Going on from trained weights (`--init`): three quarters of the rates, and the larger pictures
for most of the run. What is left to learn are outlines, and they are scored at a long side of 640.
"""

PAPER = Recipe(
    task="portrait",
    loss="l1",
    epochs=30,
    batch=8,
    optimiser="sgd",
    rate=0.1,
    encoder_rate=0.1,
    momentum=0.99,
    decay=0.0,
    schedule="plateau",
    sizes=((0.0, 320),),
    near=1.0,
    average=0.0,
)
"""The paper's training: SGD, momentum 0.99, rate 0.1, ReduceLROnPlateau(0, 0.9), batch 8, L1."""


def of_family(task: Task, optimiser: Optimiser | None = None) -> Recipe:
    """Return the recipe of the U-Net family: the paper's, or its counterpart for AdamW.

    SGD's rate is a hundred times too large for AdamW, whose rates a cosine brings down in time.
    """
    if optimiser in (None, PAPER.optimiser):
        return replace(PAPER, task=task)
    return replace(
        PAPER, task=task, optimiser=optimiser, rate=1e-3, encoder_rate=1e-3, schedule="cosine"
    )
