"""Which job runs when: pixels fetched just in time, cancels, deadlines, and workers that die.

Nothing here touches a client's socket or computes: jobs come in, messages go out through
`Transport`. Every job ends in exactly one `_answer`.
"""

from __future__ import annotations

import collections
import time
from typing import TYPE_CHECKING, Literal

import msgspec
import zmq
from typing_extensions import assert_never

from daemon.runtime.log import Log
from daemon.server.jobs import Job, Session
from daemon.server.queue import FairQueue
from daemon.wire import protocol, worker_protocol
from daemon.wire.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.server.settings import Settings
    from daemon.server.transport import Transport
    from daemon.server.worker_process import WorkerEnd, WorkerProcess
    from daemon.wire.planes import Input

FETCH_PATIENCE_S = 0.5
"""A client that has not sent its pixels by then lets others be asked, if the worker is idle."""
SIGKILL = 9
"""`signal.SIGKILL`, which Windows does not define."""
REINSTALL = (
    "Something of the program is missing: open a terminal in the defocus folder, run "
    "`python3 install.py`, then try again."
)
"""What helps when the worker ends before it is ready, each time."""
START_FAILURES = 3
"""So many workers in a row that die while starting, and the waiting jobs are answered."""

_log = Log("defocus.scheduler")


class Scheduler:
    """The queue, the running job and the worker."""

    def __init__(self, settings: Settings, worker: WorkerProcess, transport: Transport) -> None:
        self._settings = settings
        self._limits = settings.limits
        self._worker = worker
        self._transport = transport
        self._serial = 0
        self._start_failures = 0
        self._start_after = 0.0
        self._held: dict[str, frozenset[str]] = {}
        self.queue = FairQueue()
        self.running: Job | None = None
        self.restarts = 0
        self.finished: collections.Counter[str] = collections.Counter()
        self.vitals = worker_protocol.Vitals()
        self.ready: worker_protocol.Ready | None = None
        """What the worker said of itself; None while none is loaded."""
        self.known: worker_protocol.Ready | None = None
        """What the latest worker said: unloading it does not change devices and models."""

    # --- what clients want

    def submit(self, session: Session, request: protocol.Render, ignored: list[str]) -> None:
        """Accept a request and tell the client its place.

        Raises
        ------
        Refused
            `busy`: the queue is full, for everyone or for this session.
        """
        self.queue.check_place(session, self._limits)
        self._serial += 1
        job = Job(self._serial, session, request, ignored)
        session.jobs[job.id] = job
        self.queue.add(job)
        _log.info("accepted", id=job.id, job=job.number, session=session.name)
        self.accept(job)
        self.advance()

    def accept(self, job: Job) -> None:
        """Tell the client where its job stands (again, after a reconnect)."""
        position = 0
        if job is not self.running:
            position = self.queue.position(job) + (self.running is not None)
        self._tell(job, protocol.Accepted(id=job.id, queue_position=position, ignored=job.ignored))
        if job.fetching is not None:
            self._tell(job, protocol.Need(id=job.id, planes=job.asked))

    def deliver(self, job: Job, frames: dict[Input, zmq.Frame]) -> None:
        """Take the pixels of a job that asked for them; others are dropped unread.

        So are those that come late, when others have taken the room: they are asked for again.
        """
        if job.fetching is None:
            return
        loaded = sum(1 for other in self.queue if other.frames and other is not job)
        if loaded >= 2 * self._settings.prefetch:
            job.forget_pixels()
            return
        job.frames.update(frames)
        if job.frames.keys() >= set(job.asked):
            job.fetching = None  # and if the worker lost a plane meanwhile, that is asked for next
        self.advance()

    def cancel(self, job: Job, why: Refused) -> Literal["cancelled", "stopping"]:
        """End a job: at once while it waits, as soon as the worker lets go when it runs."""
        if job is not self.running:
            self.queue.remove(job)
            self._answer(job, why.reply())
            return "cancelled"
        if job.ending is None:
            job.ending, job.ended = why, time.monotonic()
            self._worker.stop(job.number)
        return "stopping"

    def cancel_all(self, session: Session | None, why: Refused) -> None:
        """End every job of a session, or of all."""
        for job in self._live():
            if session is None or job.session is session:
                self.cancel(job, why)

    def _live(self) -> list[Job]:
        return [*self.queue, *([] if self.running is None else [self.running])]

    @property
    def busy(self) -> bool:
        """Whether any accepted job is unanswered."""
        return self.running is not None or len(self.queue) > 0

    # --- what the worker says

    def on_worker(self, message: worker_protocol.FromWorker, frames: Sequence[zmq.Frame]) -> None:
        """Handle one message of the worker."""
        if isinstance(message, worker_protocol.Ready):
            self.ready = self.known = message
            self._start_failures = 0
        elif self.running is not None and message.number == self.running.number:
            if isinstance(message, worker_protocol.Step):
                self.running.stage = message.stage
                self.running.fraction = max(self.running.fraction, min(message.fraction, 1.0))
            else:
                self._on_end(self.running, message, frames)
        self.advance()

    def _on_end(
        self,
        job: Job,
        message: worker_protocol.Done | worker_protocol.Failed | worker_protocol.Missing,
        frames: Sequence[zmq.Frame],
    ) -> None:
        self.vitals = message.vitals
        self._held = {user: frozenset(found) for user, found in message.vitals.held.items()}
        self.running = None
        if job.ending is not None:
            self._answer(job, job.ending.reply())
        elif (
            job.yielding
            and isinstance(message, worker_protocol.Failed)
            and message.error.code == "cancelled"
        ):
            self._yield(job)
        elif isinstance(message, worker_protocol.Missing):
            lost = {job.planes[name].digest for name in message.planes}
            self._held[job.session.user.name] = self._held_for(job) - lost
            job.attempts -= 1
            self.queue.put_back(job)
        elif isinstance(message, worker_protocol.Failed):
            self._answer(job, message.error)
        elif isinstance(message, worker_protocol.Done):
            self._answer(job, _result(job, message), frames)
        else:
            assert_never(message)

    def _yield(self, job: Job) -> None:
        """Let a job that was stopped for others wait for its next turn."""
        job.yielding = False
        job.turns += 1
        job.attempts -= 1
        self.queue.add(job)

    def on_worker_died(self, end: WorkerEnd, *, expected: bool) -> None:
        """Handle the worker's end: its job is tried again or answered."""
        job, self.running = self.running, None
        self._held = {}
        if not expected:
            self.restarts += 1
            _log.warning("worker died", reason=str(end), id=job.id if job else None)
        if job is None:
            if not expected and self.ready is None:
                self._on_failed_start(str(end))
        elif job.ending is not None:
            self._answer(job, job.ending.reply())
        elif job.yielding:
            self._yield(job)
        elif job.attempts < self._settings.attempts:
            self.queue.put_back(job)
        else:
            self._answer(job, _after_deaths(job, end).reply())
        self.ready = None
        self.advance()

    def _on_failed_start(self, reason: str) -> None:
        self._start_failures += 1
        self._start_after = time.monotonic() + min(0.2 * 2**self._start_failures, 5.0)
        if self._start_failures >= START_FAILURES:
            why = f"the part that computes does not start ({reason}): {self._worker.last_words}"
            self.cancel_all(None, Refused("internal", why, REINSTALL, retryable=False))

    # --- time passes

    def tick(self) -> None:
        """Look after everything that depends on time."""
        now = time.monotonic()
        self._end_overdue(now)
        self._end_turn(now)
        self._end_stuck(now)
        self._report(now)
        idle = self._worker.state == "idle" and not self.busy
        if idle and now - self._worker.since > self._settings.idle_s:
            self._worker.quit()
        self.advance()

    def _end_overdue(self, now: float) -> None:
        for job in self._live():
            if now > job.deadline:
                limit = job.request.deadline_ms
                why = Refused(
                    "deadline",
                    f"not finished within {limit} ms",
                    field="deadline_ms",
                    value=limit,
                )
                self.cancel(job, why)
            elif job.fetching is not None and now - job.fetching > self._limits.pixels_s:
                self.cancel(job, _without_pixels(job, self._limits.pixels_s))

    def _end_turn(self, now: float) -> None:
        """Let others have the worker when a job has had it for long."""
        job = self.running
        if job is None or job.ending or job.yielding:
            return
        turn_s = self._settings.turn_s * 2**job.turns
        others = any(self._runnable(o) and o.session is not job.session for o in self.queue)
        if now - job.began < turn_s or not others:
            return
        if job.turns + 1 < self._settings.turns:
            _log.info("others wait", id=job.id, job=job.number, turn_s=turn_s)
            job.yielding, job.ended = True, now
            self._worker.stop(job.number)
            return
        why = f"it takes the worker longer than {turn_s:g} s, and others wait"
        hint = "Use a preview or less blur, or try again when nobody else waits."
        self.cancel(job, Refused("deadline", why, hint))

    def _end_stuck(self, now: float) -> None:
        silent = now - self._worker.since
        job = self.running
        stopping = job is not None and (job.ending is not None or job.yielding)
        if job is not None and stopping and now - job.ended > self._limits.cancel_s:
            self._worker.kill("did not stop when told")
        elif job is not None and silent > self._settings.hang_s:
            self._worker.kill(f"no sign of life for {silent:.0f} s")
        elif self._worker.state == "starting" and silent > self._settings.start_s:
            self._worker.kill(f"not ready after {silent:.0f} s")

    def _report(self, now: float) -> None:
        due = now - 0.8 * self._limits.progress_every_s
        for job in self._live():
            if job.told < due or (job is self.running and job.told < now - 0.1):
                stage = self._stage(job)
                job.told = now
                if (peer := job.session.peers.get("work")) is not None:
                    self._transport.offer(
                        peer,
                        protocol.Progress(id=job.id, stage=stage[:64], fraction=job.fraction),
                    )

    def _stage(self, job: Job) -> str:
        if job.fetching is not None:
            return "pixels"
        return "starting" if self._worker.state == "starting" else job.stage

    def _held_for(self, job: Job) -> frozenset[str]:
        """Digests of the planes that the worker holds for the user of a job."""
        return self._held.get(job.session.user.name, frozenset())

    # --- moving on

    def advance(self) -> None:
        """Start a worker, ask for pixels, or hand over the next job, if there is reason to."""
        self._fetch()
        if self._worker.state == "none":
            if len(self.queue) and time.monotonic() >= self._start_after:
                self.start_worker()
        elif self._worker.state == "idle" and self.running is None and not self._worker.leaving:
            job = next(filter(self._runnable, self.queue), None)
            if job is not None:
                self._run(job)

    def _runnable(self, job: Job) -> bool:
        """Whether a job's pixels are there, and its client takes its results."""
        peer = job.session.peers.get("work")
        clogged = peer is not None and self._transport.clogged(peer)
        return not clogged and not job.missing(self._held_for(job))

    def start_worker(self) -> None:
        """Launch the worker; a machine that cannot even do that answers the waiting jobs."""
        try:
            self._worker.start()
        except (OSError, zmq.ZMQError) as fault:
            self._on_failed_start(str(fault))

    def _fetch(self) -> None:
        """Ask for what the next jobs miss, also for what the worker held when they were asked.

        While the worker is idle, who was asked and does not send stands in nobody's way.
        """
        now = time.monotonic()
        idle = self._worker.state == "idle" and self.running is None
        since = now - FETCH_PATIENCE_S if idle else float("-inf")
        loaded = sum(
            1
            for job in self.queue
            if (job.frames if job.fetching is None else job.fetching > since)
        )
        for job in self.queue:
            if job.fetching is not None or not (planes := job.missing(self._held_for(job))):
                continue
            if not job.frames:
                if loaded >= self._settings.prefetch:
                    continue
                loaded += 1
            job.fetching, job.asked = now, planes
            self._tell(job, protocol.Need(id=job.id, planes=planes))

    def _run(self, job: Job) -> None:
        self.queue.take(job)
        self.running = job
        job.attempts += 1
        job.began = time.monotonic()
        job.stage, job.fraction = "starting", 0.0
        planes, frames = list(job.frames), list(job.frames.values())
        job.forget_pixels()
        self._worker.send(
            worker_protocol.Assignment(
                number=job.number,
                user=job.session.user.name,
                request=job.request,
                planes=planes,
            ),
            frames,
        )

    def _tell(self, job: Job, message: protocol.Message, frames: Sequence[zmq.Frame] = ()) -> None:
        job.told = time.monotonic()
        peer = job.session.peers.get("work")
        if peer is not None:
            self._transport.send(peer, message, frames)

    def _answer(
        self,
        job: Job,
        message: protocol.Result | protocol.Error,
        frames: Sequence[zmq.Frame] = (),
    ) -> None:
        if isinstance(message, protocol.Error):
            message = msgspec.structs.replace(message, id=job.id, to="render")
        outcome = message.code if isinstance(message, protocol.Error) else "result"
        self.finished[outcome] += 1
        seconds = round(time.monotonic() - job.accepted, 3)
        _log.info("answered", id=job.id, job=job.number, outcome=outcome, seconds=seconds)
        job.forget_pixels()
        if job.session.jobs.get(job.id) is job:
            del job.session.jobs[job.id]
        self._tell(job, message, frames)


def _result(job: Job, done: worker_protocol.Done) -> protocol.Result:
    return protocol.Result(
        id=job.id,
        planes=done.planes,
        focus=done.focus,
        notes=done.notes,
        file_notes=done.file_notes,
        people=done.people,
        cached=done.cached,
        timing=done.timing,
        device=done.device,
    )


def _without_pixels(job: Job, limit_s: float) -> Refused:
    return Refused(
        "deadline",
        f"the pixels asked for did not come within {limit_s:g} s",
        "Answer `need` with `pixels`; then ask again.",
        field=job.asked[0],
        limit=limit_s,
    )


def _after_deaths(job: Job, end: WorkerEnd) -> Refused:
    """Say why a job was given up; a SIGKILL not of our own is nearly always for want of memory."""
    if end.signal == SIGKILL and not end.killed_for:
        return Refused(
            "out_of_memory", f"the worker was killed {job.attempts} times (memory exhausted?)"
        )
    return Refused("internal", f"the worker {end} ({job.attempts} times)")
