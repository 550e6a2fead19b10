"""How one daemon is set up: the options of `defocus daemon run`, all with working defaults."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.connection import runtime_dir
from daemon.figures import Limits
from daemon.log import log_dir

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
    engine: str = "daemon.engine"
    """Module whose `create(cache_bytes, device)` gives the worker's engine."""
    device: str = "auto"
    cache_bytes: int = 2 * GIB
    idle_s: float = 900.0
    """After so long without work the worker is unloaded, which frees the device."""
    hang_s: float = 120.0
    """A worker silent for so long during a job counts as hung."""
    start_s: float = 180.0
    """A worker that is not ready by then counts as failed."""
    attempts: int = 2
    """How often a job is tried when its worker dies."""
    prefetch: int = 2
    """Jobs whose pixels may wait in the front for their turn."""
    preload: bool = True
    """Start the worker with the daemon instead of with the first request."""
    tcp: bool = False
    """Loopback tcp instead of ipc for local clients."""
    listen: str | None = None
    """HOST:PORT for remote clients (control on PORT + 1), always with CURVE and the allow-list."""
    metrics_port: int | None = None
    """Loopback port of the Prometheus metrics (extra `metrics`)."""
