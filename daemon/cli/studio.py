"""Who does the work: the daemon when it runs, else the same engine inside this process."""

from __future__ import annotations

import functools
import os
import sys
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bokeh_core.errors import BokehError
from daemon import client

if TYPE_CHECKING:
    import numpy.typing as npt

    from bokeh_core.progress import Progress
    from daemon.planes import Output
    from daemon.work import Engine

ENGINE_CACHE_BYTES = 1 << 30
Where = Literal["auto", "start", "here"]


@dataclass(frozen=True, eq=False)
class Made:
    """The planes of one job, and how they came about."""

    planes: dict[Output, npt.NDArray[Any]]
    focus: float | None
    where: str
    seconds: float
    timing: dict[str, float]


class Studio(Protocol):
    """Does jobs one after the other."""

    def make(self, job: client.Job, progress: Progress) -> Made:
        """Do one job.

        Raises
        ------
        BokehError
            One line for the user.
        """
        ...


class Here:
    """The worker's engine in this process: same results, but models are loaded each time."""

    def __init__(self, device: str = "auto") -> None:
        self._device = device

    @functools.cached_property
    def _engine(self) -> Engine:
        from daemon import engine  # noqa: PLC0415 - torch: seconds that a client does not need

        return engine.create(ENGINE_CACHE_BYTES, self._device)

    def make(self, job: client.Job, progress: Progress) -> Made:
        """Do one job."""
        started = time.monotonic()
        request, pixels = job.message(uuid.uuid4().hex)
        frames = {name: plane.data.cast("B") for name, plane in pixels.items()}
        done = self._engine.run(request, frames, progress)
        names = (plane.name for plane in done.planes)
        return Made(
            planes=dict(zip(names, done.pixels, strict=True)),
            focus=done.focus,
            where=f"here, {done.device}",
            seconds=time.monotonic() - started,
            timing=done.timing,
        )


class There:
    """The daemon; where it is allowed to, work moves here when it is not running."""

    def __init__(self, where: Literal["auto", "start"]) -> None:
        self._where = where
        self._here: Here | None = None

    def make(self, job: client.Job, progress: Progress) -> Made:
        """Do one job."""
        if self._here is not None:
            return self._here.make(job, progress)
        started = time.monotonic()
        try:
            done = client.render(job, start=self._where == "start", progress=progress)
        except client.DaemonError as error:
            raise BokehError(f"{error.message}. {error.hint}".strip()) from error
        except (client.NotRunning, client.ConnectionLost) as error:
            if self._where == "start":
                raise BokehError(str(error)) from error
            lost = isinstance(error, client.ConnectionLost)
            # that none runs is normal; that one asked for or any at all is out of reach is news
            news = lost or os.environ.get("DEFOCUS_REMOTE") or error.__cause__
            if news:
                reason = "the daemon was lost" if lost else str(error)
                print(f"defocus: {reason}; going on without it", file=sys.stderr)
            self._here = Here()
            return self._here.make(job, progress)
        return Made(
            planes=done.planes,
            focus=done.focus,
            where=f"daemon, {done.device}",
            seconds=time.monotonic() - started,
            timing=done.timing,
        )


def choose(where: Where, device: str) -> Studio:
    """Find who does the work.

    Parameters
    ----------
    where
        "auto": the daemon if it runs, else here; "start": the daemon, started when needed; "here".
    device
        Anything but "auto" is for work in this process: a daemon has its own.
    """
    return Here(device) if where == "here" or device != "auto" else There(where)
