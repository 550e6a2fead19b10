"""What a worker needs from whatever computes for it, and what it hands back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy.typing as npt

from bokeh_core.errors import InputError

if TYPE_CHECKING:
    from daemon.wire.capabilities import Model
    from daemon.wire.people import Person
    from daemon.wire.planes import Input, Level, ResultPlane
    from daemon.wire.protocol import Render
    from daemon.wire.worker_protocol import Vitals

Pixels = npt.NDArray[Any]
Report = Callable[[str, float], None]


class WrongField(InputError):
    """A field of the request, or the pixels that it stands for, cannot be used.

    Parameters
    ----------
    field
        As in `daemon.wire.protocol.Error`.
    text, hint
        One line each for the user: what is wrong, and what to do.
    """

    def __init__(self, field: str, text: str, hint: str | None = None) -> None:
        super().__init__(text)
        self.field = field
        self.hint = hint


@contextlib.contextmanager
def about(field: str) -> Iterator[None]:
    """Say which field it is that the library does not like."""
    try:
        yield
    except WrongField:
        raise
    except InputError as fault:
        raise WrongField(field, str(fault)) from fault


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
    notes: list[str] = field(default_factory=list)
    file_notes: list[str] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    cached: list[Level] = field(default_factory=list)
    timing: dict[str, float] = field(default_factory=dict)
    device: str = "cpu"


class Engine(Protocol):
    """Computes results; lives in the worker process, used by one thread."""

    devices: list[str]
    models: list[Model]

    def run(
        self, user: str, request: Render, frames: Mapping[Input, memoryview], report: Report
    ) -> Outcome:
        """Compute what a request wants.

        Parameters
        ----------
        user
            Whose request it is: what others sent or had computed is not there for it.
        request
            Checked against the limits by the server, not against the pixels.
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
