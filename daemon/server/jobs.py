"""Clients' sessions and their jobs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import zmq

    from daemon.wire.planes import File, Input, Plane
    from daemon.wire.protocol import Render
    from daemon.wire.refusal import Refused


@dataclass(frozen=True)
class User:
    """Whose client it is; what belongs to one is nobody else's."""

    name: str = ""
    """As on the allow-list; empty: the user whose daemon this is."""
    admin: bool = field(default=True, compare=False)
    """May stop the daemon, and see what others do."""


LOCAL = User()


@dataclass(frozen=True)
class Peer:
    """One connection of a client: which of the two sockets, and its routing id."""

    socket: Literal["work", "control"]
    identity: bytes
    fd: int = field(default=-1, compare=False)
    """Descriptor of its connection."""


@dataclass(eq=False)
class Session:
    """One client: its connections and its live jobs by id."""

    user: User
    name: str
    peers: dict[str, Peer] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)


@dataclass(eq=False)
class Job:
    """One accepted request until its single answer is sent."""

    number: int
    session: Session
    request: Render
    ignored: list[str] = field(default_factory=list)
    """Fields of the request that the protocol does not know."""
    accepted: float = field(default_factory=time.monotonic)
    frames: dict[Input, zmq.Frame] = field(default_factory=dict)
    fetching: float | None = None
    """When its pixels were asked for; None: not asked, or they have come."""
    asked: list[Input] = field(default_factory=list)
    """The planes that were asked for last."""
    attempts: int = 0
    ending: Refused | None = None
    """Set when a running job is to stop: the answer it will get."""
    ended: float = 0.0
    began: float = 0.0
    """When the worker got it."""
    turns: int = 0
    """How often it was stopped, to be started again, because others waited."""
    yielding: bool = False
    """It is being stopped for that now."""
    stage: str = "queued"
    fraction: float = 0.0
    told: float = field(default_factory=time.monotonic)
    """When the client last heard about it."""

    @property
    def id(self) -> str:
        """The client's name for it."""
        return self.request.id

    @property
    def planes(self) -> dict[Input, Plane | File]:
        """The planes that the request declares."""
        return self.request.planes

    @property
    def deadline(self) -> float:
        """When to give up, in the monotonic clock."""
        limit = self.request.deadline_ms
        return self.accepted + limit / 1000.0 if limit else float("inf")

    def missing(self, held: frozenset[str]) -> list[Input]:
        """List the planes whose pixels are neither here nor held by the worker."""
        return [
            name
            for name, plane in self.planes.items()
            if name not in self.frames and plane.digest not in held
        ]

    def forget_pixels(self) -> None:
        """Drop the pixels: the worker has them, or the client will be asked again."""
        self.frames.clear()
        self.fetching = None
