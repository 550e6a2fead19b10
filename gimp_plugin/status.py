"""The state of the daemon in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gimp_plugin import connection, vendored
from gimp_plugin.client import Client
from gimp_plugin.errors import LinkLost, PluginError

if TYPE_CHECKING:
    from collections.abc import Mapping

MIB = 1 << 20


def state() -> dict[str, Any]:
    """Ask the daemon how it is, without starting it; `{"up": False}` when none answers."""
    own = {"client": "standard library" if vendored.zmq() is None else "pyzmq"}
    for place in connection.known():
        try:
            client = Client(place)
        except LinkLost:
            continue
        except PluginError as error:
            return {"up": False, "problem": str(error), **own}
        try:
            return {"up": True, **client.status(), **own}
        except LinkLost:  # it has just gone down
            continue
        finally:
            client.close()
    return {"up": False, **own}


def stop() -> bool:
    """Ask the daemon to stop after the jobs it has; False when none runs."""
    for place in connection.known():
        try:
            client = Client(place)
        except LinkLost:
            continue
        client.shutdown()
        client.close()
        return True
    return False


def lines(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give the state as pairs of a label and its value."""
    if not found["up"]:
        problem = found.get("problem", "not running; it starts with the first picture")
        return [("Daemon", problem), ("Client", found["client"])]
    models = found.get("models", [])
    cache = sum(level["nbytes"] for level in found.get("cache", {}).values())
    memory = found.get("rss_bytes", 0) + found.get("worker_rss_bytes", 0)
    return [
        ("Daemon", f"running, version {found['server']}, {found['uptime_s'] / 60:.0f} min"),
        ("Worker", f"{found['worker']}, {found['queued']} waiting"),
        ("Device", ", ".join(found.get("devices", [])) or "not loaded yet"),
        ("Models", ", ".join(f"{m['name']} ({m['task']})" for m in models) or "not loaded yet"),
        ("Memory", f"{memory / MIB:.0f} MiB, of it {cache / MIB:.0f} MiB cache"),
        ("Client", found["client"]),
    ]
