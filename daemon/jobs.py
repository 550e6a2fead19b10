"""Clients' sessions, their jobs, and the fair line in front of the worker."""

from __future__ import annotations

import collections
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import zmq

    from daemon.codec import Refused
    from daemon.planes import Input, Plane
    from daemon.protocol import Render


@dataclass(frozen=True)
class Peer:
    """One connection of a client: which of the two sockets, and its routing id."""

    socket: Literal["work", "control"]
    identity: bytes


@dataclass(eq=False)
class Session:
    """One client: its connections and its live jobs by id."""

    name: str
    client: str
    peers: dict[str, Peer] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)


@dataclass(eq=False)
class Job:
    """One accepted request until its single answer is sent."""

    number: int
    session: Session
    request: Render
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
    stage: str = "queued"
    fraction: float = 0.0
    told: float = field(default_factory=time.monotonic)
    """When the client last heard about it."""

    @property
    def id(self) -> str:
        """The client's name for it."""
        return self.request.id

    @property
    def planes(self) -> dict[Input, Plane]:
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


class Line:
    """Waiting jobs, one turn per session: a client with many requests does not hold up others."""

    def __init__(self) -> None:
        self._by_session: collections.OrderedDict[Session, collections.deque[Job]] = (
            collections.OrderedDict()
        )

    def __len__(self) -> int:
        return sum(map(len, self._by_session.values()))

    def __iter__(self) -> Iterator[Job]:
        """Give the jobs in the order of their turns."""
        lanes = [list(lane) for lane in self._by_session.values()]
        for turn in range(max(map(len, lanes), default=0)):
            yield from (lane[turn] for lane in lanes if turn < len(lane))

    def __contains__(self, job: Job) -> bool:
        return job in self._by_session.get(job.session, ())

    def add(self, job: Job) -> None:
        """Put a job at the end of its session's lane."""
        self._by_session.setdefault(job.session, collections.deque()).append(job)

    def put_back(self, job: Job) -> None:
        """Put a job that lost its worker in front of everything."""
        self._by_session.setdefault(job.session, collections.deque()).appendleft(job)
        self._by_session.move_to_end(job.session, last=False)

    def take(self, job: Job) -> None:
        """Remove a job because it runs now; its session goes to the back."""
        self.remove(job)
        if job.session in self._by_session:
            self._by_session.move_to_end(job.session)

    def remove(self, job: Job) -> None:
        """Remove a job wherever it waits."""
        lane = self._by_session[job.session]
        lane.remove(job)
        if not lane:
            del self._by_session[job.session]

    def count(self, session: Session) -> int:
        """Tell how many jobs of a session wait."""
        return len(self._by_session.get(session, ()))

    def position(self, job: Job) -> int:
        """Tell how many waiting jobs come before this one."""
        return next(place for place, other in enumerate(self) if other is job)
