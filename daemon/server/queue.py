"""The fair queue in front of the worker."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

from daemon.wire.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.server.jobs import Job, Session, User
    from daemon.wire.capabilities import Limits

KEPT_PLACES = 16
"""The last places of the queue are for sessions that have nothing in it yet."""

Item = TypeVar("Item")


class FairQueue:
    """Waiting jobs, one turn per user, and of a user one per session.

    A client with many requests does not hold up others, nor does a user with many clients.
    """

    def __init__(self) -> None:
        self._by_session: dict[Session, deque[Job]] = {}
        self._users: list[User] = []
        """In the order of their turns."""

    def __len__(self) -> int:
        return sum(map(len, self._by_session.values()))

    def __iter__(self) -> Iterator[Job]:
        """Yield the jobs in the order of their turns."""
        lanes: dict[User, list[list[Job]]] = {user: [] for user in self._users}
        for session, lane in self._by_session.items():
            lanes[session.user].append(list(lane))
        yield from _alternating([list(_alternating(of_user)) for of_user in lanes.values()])

    def __contains__(self, job: Job) -> bool:
        return job in self._by_session.get(job.session, ())

    def check_place(self, session: Session, limits: Limits) -> None:
        """Find out whether one more of a session's jobs may wait; who has none here always may.

        Raises
        ------
        Refused
            `busy`: the places are taken.
        """
        waiting, own = len(self), self.count(session)
        if own >= limits.max_queue_per_session:
            raise Refused(
                "busy",
                f"{own} of your requests are waiting already",
                "Wait for a `result` before the next `render`.",
                value=own,
                limit=limits.max_queue_per_session,
            )
        nearly_full = waiting >= limits.max_queue - KEPT_PLACES
        full = waiting >= limits.max_queue
        if (nearly_full and own) or (full and self.count_user(session.user)):
            raise Refused(
                "busy",
                f"{waiting} requests are waiting already",
                value=waiting,
                limit=limits.max_queue,
            )

    def add(self, job: Job) -> None:
        """Put a job at the end of its session's lane."""
        if job.session.user not in self._users:
            self._users.append(job.session.user)
        self._by_session.setdefault(job.session, deque()).append(job)

    def put_back(self, job: Job) -> None:
        """Put a job that lost its worker in front of everything."""
        lane = self._by_session.pop(job.session, deque())
        lane.appendleft(job)
        self._by_session = {job.session: lane, **self._by_session}
        self._users = [job.session.user, *(u for u in self._users if u != job.session.user)]

    def take(self, job: Job) -> None:
        """Remove a job because it runs now; its session and its user go to the back."""
        user = job.session.user
        self.remove(job)
        if (lane := self._by_session.pop(job.session, None)) is not None:
            self._by_session[job.session] = lane
        if user in self._users:
            self._users.remove(user)
            self._users.append(user)

    def remove(self, job: Job) -> None:
        """Remove a job wherever it waits."""
        lane = self._by_session[job.session]
        lane.remove(job)
        if not lane:
            del self._by_session[job.session]
        if not self.count_user(job.session.user):
            self._users.remove(job.session.user)

    def count(self, session: Session) -> int:
        """Tell how many jobs of a session wait."""
        return len(self._by_session.get(session, ()))

    def count_user(self, user: User) -> int:
        """Tell how many jobs of all sessions of a user wait."""
        return sum(len(lane) for found, lane in self._by_session.items() if found.user == user)

    def position(self, job: Job) -> int:
        """Tell how many waiting jobs come before this one."""
        return next(place for place, other in enumerate(self) if other is job)


def _alternating(lanes: list[list[Item]]) -> Iterator[Item]:
    for turn in range(max(map(len, lanes), default=0)):
        yield from (lane[turn] for lane in lanes if turn < len(lane))
