"""What a worker needs from whatever computes for it, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy.typing as npt

if TYPE_CHECKING:
    from daemon.figures import Model
    from daemon.inner import Vitals
    from daemon.planes import Input, Level, ResultPlane
    from daemon.protocol import Render

Pixels = npt.NDArray[Any]
Report = Callable[[str, float], None]


class PlanesMissing(Exception):
    """The engine neither got nor holds the pixels of these planes."""

    def __init__(self, planes: list[Input]) -> None:
        super().__init__(", ".join(planes))
        self.planes = planes


@dataclass(frozen=True)
class Outcome:
    """Everything that goes into a `result`; `pixels[i]` belongs to `planes[i]`."""

    planes: list[ResultPlane]
    pixels: list[Pixels]
    focus: float | None = None
    cached: list[Level] = field(default_factory=list)
    timing: dict[str, float] = field(default_factory=dict)
    device: str = "cpu"


class Engine(Protocol):
    """Computes results; lives in the worker process, used by one thread."""

    devices: list[str]
    models: list[Model]

    def run(self, request: Render, frames: Mapping[Input, memoryview], report: Report) -> Outcome:
        """Compute what a request wants.

        Parameters
        ----------
        request
            Checked against the limits by the front, not against the pixels.
        frames
            Pixels of planes that came with the job; their length is right, their digest unchecked.
        report
            `report(stage, fraction)`; an exception raised in it must pass through.

        Raises
        ------
        PlanesMissing
            Pixels are needed that are neither in `frames` nor in the cache.
        BokehError
            Any of `bokeh_core.errors`.
        """
        ...

    def vitals(self) -> Vitals:
        """Say what is held and how much memory it takes."""
        ...
