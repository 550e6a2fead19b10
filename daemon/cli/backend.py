"""Who does the work: the daemon when it runs, else the same engine inside this process."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bokeh_core.errors import BokehError
from daemon.client import client, launch
from daemon.wire import discovery

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from bokeh_core.progress import Progress
    from daemon.wire.planes import Output
    from daemon.worker.engine_api import Engine

ENGINE_CACHE_BYTES = 1 << 30
LEAVE_S = 600
"""A daemon that was left behind ends after so long without work."""
Where = Literal["auto", "start", "here"]


@dataclass(frozen=True, eq=False)
class Made:
    """The planes of one job, and how they came about."""

    planes: dict[Output, npt.NDArray[Any]]
    focus: float | None
    where: str
    seconds: float
    timing: dict[str, float]
    notes: Sequence[str] = ()


class Backend(Protocol):
    """Does jobs one after the other."""

    def make(self, job: client.RenderRequest, progress: Progress) -> Made:
        """Do one job.

        Raises
        ------
        BokehError
            One line for the user.
        """
        ...


class Here:
    """The worker's engine in this process: same results, but models are loaded each time."""

    def __init__(self, device: str | None = None, cache_bytes: int = ENGINE_CACHE_BYTES) -> None:
        self._device, self._cache_bytes = device, cache_bytes

    @functools.cached_property
    def _engine(self) -> Engine:
        from daemon.worker import engine  # noqa: PLC0415 - torch: seconds that a client does not need

        return engine.create(self._cache_bytes, self._device)

    def make(self, job: client.RenderRequest, progress: Progress) -> Made:
        """Do one job."""
        started = time.monotonic()
        request, pixels = job.message(uuid.uuid4().hex)
        frames = {name: plane.data.cast("B") for name, plane in pixels.items()}
        done = self._engine.run("", request, frames, progress)
        names = (plane.name for plane in done.planes)
        return Made(
            planes=dict(zip(names, done.pixels, strict=True)),
            focus=done.focus,
            where=f"here, {done.device}",
            seconds=time.monotonic() - started,
            timing=done.timing,
            notes=done.notes,
        )


class There:
    """The daemon; where it is allowed to, work moves here when it is not running."""

    def __init__(self, where: Literal["auto", "start"]) -> None:
        self._where = where
        self._here: Here | None = None

    def make(self, job: client.RenderRequest, progress: Progress) -> Made:
        """Do one job."""
        if self._here is not None:
            return self._here.make(job, progress)
        started = time.monotonic()
        try:
            start = self._where == "start"
            done = client.render(job, start=start, progress=progress, say=_say)
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
            notes=done.notes,
        )


class LeftBehind(There):
    """The daemon; one that does not run is started while the photo is read, and stays for a while.

    The next photo then takes a second: nothing is loaded for it.
    """

    def __init__(self) -> None:
        super().__init__("auto")
        self._start = threading.Thread(target=self._started, daemon=True)
        self._start.start()

    def make(self, job: client.RenderRequest, progress: Progress) -> Made:
        """Do one job."""
        self._start.join()
        return super().make(job, progress)

    def _started(self) -> None:
        """Start a daemon; where that fails the work is done here, and the daemon's log says why."""
        with contextlib.suppress(launch.StartFailed, OSError):
            folder = discovery.runtime_dir()
            if discovery.find(folder) is None:
                launch.start_detached(folder, ("--leave", str(LEAVE_S)))


def leaves_a_daemon() -> bool:
    """Tell whether a daemon may stay behind: for somebody at a terminal who has not said no.

    `DEFOCUS_DAEMON` is 0 for never, 1 for always; scripts and build servers are left alone.
    """
    wish = os.environ.get("DEFOCUS_DAEMON", "")
    if os.environ.get("DEFOCUS_REMOTE") or wish == "0":
        return False
    return wish == "1" or (not os.environ.get("CI") and os.isatty(1) and os.isatty(2))


def _say(sentence: str) -> None:
    print(f"defocus: {sentence}", file=sys.stderr)


def choose(where: Where, device: str | None) -> Backend:
    """Find who does the work.

    Parameters
    ----------
    where
        "auto": the daemon if it runs or may be left behind, else here; "start": the daemon, started
        when needed; "here".
    device
        A name is for work in this process: a daemon has its own.
    """
    if where == "here" or device is not None:
        return Here(device)
    return LeftBehind() if where == "auto" and leaves_a_daemon() else There(where)
