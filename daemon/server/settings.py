"""How one daemon is set up: the options of `defocus daemon run`, all with working defaults."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.runtime.log import log_dir
from daemon.wire.capabilities import Limits
from daemon.wire.discovery import runtime_dir

if TYPE_CHECKING:
    from pathlib import Path

GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can differ between two daemons."""

    directory: Path = dataclasses.field(default_factory=runtime_dir)
    """Runtime directory: lock, connection file, sockets."""
    logs: Path = dataclasses.field(default_factory=log_dir)
    """Folder of `daemon.log` and `worker.log`."""
    limits: Limits = dataclasses.field(default_factory=Limits)
    engine: str = "daemon.worker.engine"
    """Module whose `create(cache_bytes, device)` gives the worker's engine."""
    device: str | None = None
    """Torch device of the worker; None: the best there is."""
    cache_bytes: int = 2 * GIB
    idle_s: float = 900.0
    """After so long without work the worker is unloaded, which frees the device."""
    leave_s: float = float("inf")
    """After so long without work the whole daemon ends."""
    hang_s: float = 120.0
    """A worker silent for so long during a job counts as hung."""
    start_s: float = 180.0
    """A worker that is not ready by then counts as failed."""
    turn_s: float = 20.0
    """So long a job runs while another session waits; then that one's turn comes, and the job is
    started again, with twice the time (what the networks made of its photo is still known)."""
    turns: int = 4
    """How many such turns a job gets; one that is not done by then is refused."""
    attempts: int = 2
    """How often a job is tried when its worker dies."""
    prefetch: int = 2
    """Jobs whose pixels may wait in the server for their turn."""
    preload: bool = True
    """Start the worker with the daemon instead of with the first request."""
    tcp: bool = False
    """Loopback tcp instead of ipc, for local clients and the worker."""
    listen: str | None = None
    """HOST:PORT for remote clients (control on PORT + 1), always with CURVE and the allow-list."""
    options: tuple[str, ...] = ()
    """The words of `defocus daemon run` behind all this: a successor is started with the same."""
    metrics_port: int | None = None
    """Loopback port of the Prometheus metrics (extra `metrics`)."""
