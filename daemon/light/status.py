"""The state of the daemon, for a window and for scripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from daemon.light.connect import running
from daemon.light.errors import DaemonLost, PluginError
from daemon.light.words import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.light.editor import Editor
    from daemon.light.messages import Message

MIB = 1 << 20
ANY = (0.0, 1e18)
WORDS = ("none", "starting", "idle", "busy")
"""What the worker does."""


@dataclass(frozen=True)
class State:
    """How the daemon is.

    Parameters
    ----------
    up
        Whether one answers; else all but `problem` is empty.
    problem
        Why none answers, where that is known.
    server
        Its version.
    uptime_s
        Seconds since it started.
    worker
        One of `WORDS`.
    queued
        Requests waiting.
    devices, models
        What it computes on and with; empty until the worker has started.
    memory_bytes, cache_bytes
        Resident memory of all its processes; how much the cache holds.
    fields
        All that the protocol's `state` says, as it came.
    """

    up: bool
    problem: str = ""
    server: str = ""
    uptime_s: float = 0.0
    worker: str = "none"
    queued: int = 0
    devices: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    memory_bytes: int = 0
    cache_bytes: int = 0
    fields: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, message: Message) -> State:
        """Take the protocol's `state` apart.

        Raises
        ------
        ProtocolError
            It is none.
        """
        models = [message.part(entry) for entry in message.entries("models")]
        levels = [message.part(level) for level in message.maps("cache").values()]
        memory = message.number("rss_bytes", *ANY) + message.number("worker_rss_bytes", *ANY)
        return cls(
            up=True,
            server=message.text("server"),
            uptime_s=message.number("uptime_s", *ANY),
            worker=message.text("worker"),
            queued=int(message.number("queued", *ANY)),
            devices=tuple(message.words("devices")),
            models=tuple(f"{model.text('name')} ({model.text('task')})" for model in models),
            memory_bytes=int(memory),
            cache_bytes=int(sum(level.number("nbytes", *ANY) for level in levels)),
            fields={name: value for name, value in message.header.items() if name != "type"},
        )

    def record(self) -> dict[str, Any]:
        """Return plain values for scripts: `up`, `problem` if there is one, and the `fields`."""
        return {"up": self.up, **({"problem": self.problem} if self.problem else {}), **self.fields}

    def lines(self) -> list[tuple[str, str]]:
        """Return pairs of a label and its value."""
        if not self.up:
            said = self.problem or tr("not running; it starts with the first picture")
            return [(tr("Daemon"), said)]
        memory, cache = self.memory_bytes / MIB, self.cache_bytes / MIB
        return [
            (
                tr("Daemon"),
                tr("running, version {version}, {n} min").format(
                    version=self.server, n=f"{self.uptime_s / 60:.0f}"
                ),
            ),
            (
                tr("Worker"),
                tr("{state}, {n} waiting").format(state=tr(self.worker), n=self.queued),
            ),
            (tr("Device"), ", ".join(self.devices) or tr("not loaded yet")),
            (tr("Models"), ", ".join(self.models) or tr("not loaded yet")),
            (
                tr("Memory"),
                tr("{all} MiB, of it {cache} MiB cache").format(
                    all=f"{memory:.0f}", cache=f"{cache:.0f}"
                ),
            ),
        ]


def state(editor: Editor) -> State:
    """Ask the daemon how it is, without starting it."""
    try:
        client = running(editor)
        if client is None:
            return State(up=False)
        try:
            return State.of(client.status())
        finally:
            client.close()
    except DaemonLost:  # it has just gone down
        return State(up=False)
    except PluginError as error:
        return State(up=False, problem=str(error))


def stop(editor: Editor) -> bool:
    """Ask the daemon to stop after the jobs it has; False when none runs.

    Raises
    ------
    DaemonLost, DaemonRefused, ProtocolError
        It does not do so.
    """
    client = running(editor)
    if client is None:
        return False
    try:
        client.shutdown()
    finally:
        client.close()
    return True
