"""The daemon's client in Python: `connect`, render a `RenderRequest`, typed errors.

from daemon.client import RenderRequest, connect
with connect() as daemon:
    made = daemon.render(RenderRequest(pixels))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from daemon.client.client import Client, connect, render
    from daemon.client.errors import ConnectionLost, DaemonError, NotRunning, ProtocolError
    from daemon.client.request import Rendered, RenderRequest

__all__ = [
    "Client",
    "ConnectionLost",
    "DaemonError",
    "NotRunning",
    "ProtocolError",
    "RenderRequest",
    "Rendered",
    "connect",
    "render",
]


def __getattr__(name: str) -> Any:
    """Import on first use: asking for an error needs no sockets."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("daemon.client.client"), name)
