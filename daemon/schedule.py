"""Which job runs when: pixels fetched just in time, cancels, deadlines, and workers that die.

Nothing here touches a client's socket or computes: jobs come in, messages go out through `Post`.
Every job ends in exactly one `_answer`.
"""

from __future__ import annotations

import collections
import time
from typing import TYPE_CHECKING, Literal

import zmq

from daemon import inner, protocol
from daemon.codec import Refused
from daemon.jobs import Job, Line, Session
from daemon.link import last_words
from daemon.log import Log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.link import WorkerLink
    from daemon.planes import Input
    from daemon.post import Post
    from daemon.settings import Settings

START_FAILURES = 3
"""So many workers in a row that die while starting, and the waiting jobs are answered."""

_log = Log("defocus.schedule")


class Schedule:
    """The waiting line, the running job and the worker."""

    def __init__(self, settings: Settings, link: WorkerLink, post: Post) -> None:
        self._settings = settings
        self._limits = settings.limits
        self._link = link
        self._post = post
        self._serial = 0
        self._start_failures = 0
        self._start_after = 0.0
        self._held: frozenset[str] = frozenset()
        self.line = Line()
        self.running: Job | None = None
        self.restarts = 0
        self.finished: collections.Counter[str] = collections.Counter()
        self.vitals = inner.Vitals()
        self.ready: inner.Ready | None = None
        """What the worker said of itself; None while none is loaded."""
        self.known: inner.Ready | None = None
        """What the latest worker said: unloading it does not change devices and models."""

    # --- what clients want

    def submit(self, session: Session, request: protocol.Render) -> None:
        """Accept a request and tell the client its place.

        Raises
        ------
        Refused
            `busy`: the line is full, for everyone or for this session.
        """
        if len(self.line) >= self._limits.max_queue:
            raise Refused("busy", f"{len(self.line)} requests are waiting already")
        if self.line.count(session) >= self._limits.max_queue_per_session:
            raise Refused(
                "busy", f"{self.line.count(session)} of your requests are waiting already"
            )
        self._serial += 1
        job = Job(self._serial, session, request)
        session.jobs[job.id] = job
        self.line.add(job)
        _log.info("accepted", id=job.id, job=job.number, session=session.name)
        self.accept(job)
        self.advance()

    def accept(self, job: Job) -> None:
        """Tell the client where its job stands (again, after a reconnect)."""
        position = 0
        if job is not self.running:
            position = self.line.position(job) + (self.running is not None)
        self._tell(job, protocol.Accepted(id=job.id, queue_position=position))
        if job.fetching is not None:
            self._tell(job, protocol.Need(id=job.id, planes=job.asked))

    def deliver(self, job: Job, frames: dict[Input, zmq.Frame]) -> None:
        """Take the pixels of a job that asked for them; others are dropped unread."""
        if job.fetching is None:
            return
        job.frames.update(frames)
        if job.frames.keys() >= set(job.asked):
            job.fetching = None  # and if the worker lost a plane meanwhile, that is asked for next
        self.advance()

    def cancel(self, job: Job, why: Refused) -> Literal["cancelled", "stopping"]:
        """End a job: at once while it waits, as soon as the worker lets go when it runs."""
        if job is not self.running:
            self.line.remove(job)
            self._answer(job, why.reply(job.id))
            return "cancelled"
        if job.ending is None:
            job.ending, job.ended = why, time.monotonic()
            self._link.stop(job.number)
        return "stopping"

    def cancel_all(self, session: Session | None, why: Refused) -> None:
        """End every job of a session, or of all."""
        for job in self._live():
            if session is None or job.session is session:
                self.cancel(job, why)

    def _live(self) -> list[Job]:
        return [*self.line, *([] if self.running is None else [self.running])]

    @property
    def busy(self) -> bool:
        """Whether any accepted job is unanswered."""
        return self.running is not None or len(self.line) > 0

    # --- what the worker says

    def on_worker(self, message: inner.FromWorker, frames: Sequence[zmq.Frame]) -> None:
        """Handle one message of the worker."""
        if isinstance(message, inner.Ready):
            self.ready = self.known = message
            self._start_failures = 0
        elif self.running is not None and message.number == self.running.number:
            if isinstance(message, inner.Step):
                self.running.stage = message.stage
                self.running.fraction = max(self.running.fraction, min(message.fraction, 1.0))
            else:
                self._on_end(self.running, message, frames)
        self.advance()

    def _on_end(
        self,
        job: Job,
        message: inner.Done | inner.Failed | inner.Missing,
        frames: Sequence[zmq.Frame],
    ) -> None:
        self.vitals = message.vitals
        self._held = frozenset(message.vitals.held)
        self.running = None
        if job.ending is not None:
            self._answer(job, job.ending.reply(job.id))
        elif isinstance(message, inner.Missing):
            self._held -= {job.planes[name].digest for name in message.planes}
            job.attempts -= 1
            self.line.put_back(job)
        elif isinstance(message, inner.Failed):
            self._answer(job, Refused(message.code, message.message).reply(job.id))
        else:
            self._answer(job, _result(job, message), frames)

    def on_worker_died(self, reason: str, *, expected: bool) -> None:
        """Handle the worker's end: its job is tried again or answered."""
        job, self.running = self.running, None
        self._held = frozenset()
        if not expected:
            self.restarts += 1
            _log.warning("worker died", reason=reason, id=job.id if job else None)
        if job is None:
            if not expected and self.ready is None:
                self._on_failed_start(reason)
        elif job.ending is not None:
            self._answer(job, job.ending.reply(job.id))
        elif job.attempts < self._settings.attempts:
            self.line.put_back(job)
        else:
            self._answer(job, _after_deaths(job, reason).reply(job.id))
        self.ready = None
        self.advance()

    def _on_failed_start(self, reason: str) -> None:
        self._start_failures += 1
        self._start_after = time.monotonic() + min(0.2 * 2**self._start_failures, 5.0)
        if self._start_failures >= START_FAILURES:
            words = last_words(self._settings)
            why = Refused("internal", f"the worker does not start ({reason}): {words}")
            self.cancel_all(None, why)

    # --- time passes

    def tick(self) -> None:
        """Look after everything that depends on time."""
        now = time.monotonic()
        self._end_overdue(now)
        self._end_stuck(now)
        self._report(now)
        idle = self._link.state == "idle" and not self.busy
        if idle and now - self._link.since > self._settings.idle_s:
            self._link.quit()
        self.advance()

    def _end_overdue(self, now: float) -> None:
        for job in self._live():
            if now > job.deadline:
                limit = job.request.deadline_ms
                self.cancel(job, Refused("deadline", f"not finished within {limit} ms"))
            elif job.fetching is not None and now - job.fetching > self._limits.pixels_s:
                why = f"the pixels asked for did not come within {self._limits.pixels_s:g} s"
                self.cancel(job, Refused("bad_request", why, retryable=True))

    def _end_stuck(self, now: float) -> None:
        silent = now - self._link.since
        job = self.running
        if job is not None and job.ending and now - job.ended > self._limits.cancel_s:
            self._link.kill("did not stop when told")
        elif job is not None and silent > self._settings.hang_s:
            self._link.kill(f"no sign of life for {silent:.0f} s")
        elif self._link.state == "starting" and silent > self._settings.start_s:
            self._link.kill(f"not ready after {silent:.0f} s")

    def _report(self, now: float) -> None:
        due = now - 0.8 * self._limits.progress_every_s
        for job in self._live():
            if job.told < due or (job is self.running and job.told < now - 0.1):
                stage = self._stage(job)
                job.told = now
                if (peer := job.session.peers.get("work")) is not None:
                    self._post.offer(
                        peer,
                        protocol.Progress(id=job.id, stage=stage[:64], fraction=job.fraction),
                    )

    def _stage(self, job: Job) -> str:
        if job.fetching is not None:
            return "pixels"
        return "starting" if self._link.state == "starting" else job.stage

    # --- moving on

    def advance(self) -> None:
        """Start a worker, ask for pixels, or hand over the next job, if there is reason to."""
        self._fetch()
        if self._link.state == "none":
            if len(self.line) and time.monotonic() >= self._start_after:
                self.start_worker()
        elif self._link.state == "idle" and self.running is None and not self._link.leaving:
            job = next((job for job in self.line if not job.missing(self._held)), None)
            if job is not None:
                self._run(job)

    def start_worker(self) -> None:
        """Launch the worker; a machine that cannot even do that answers the waiting jobs."""
        try:
            self._link.start()
        except (OSError, zmq.ZMQError) as fault:
            self._on_failed_start(str(fault))

    def _fetch(self) -> None:
        """Ask for what the next jobs miss, also for what the worker held when they were asked."""
        loaded = sum(1 for job in self.line if job.frames or job.fetching is not None)
        for job in self.line:
            if job.fetching is not None or not (planes := job.missing(self._held)):
                continue
            if not job.frames:
                if loaded >= self._settings.prefetch:
                    continue
                loaded += 1
            job.fetching, job.asked = time.monotonic(), planes
            self._tell(job, protocol.Need(id=job.id, planes=planes))

    def _run(self, job: Job) -> None:
        self.line.take(job)
        self.running = job
        job.attempts += 1
        job.stage, job.fraction = "starting", 0.0
        planes, frames = list(job.frames), list(job.frames.values())
        job.forget_pixels()
        self._link.send(inner.Job(number=job.number, request=job.request, planes=planes), frames)

    def _tell(self, job: Job, message: protocol.Message, frames: Sequence[zmq.Frame] = ()) -> None:
        job.told = time.monotonic()
        peer = job.session.peers.get("work")
        if peer is not None:
            self._post.send(peer, message, frames)

    def _answer(
        self,
        job: Job,
        message: protocol.Result | protocol.Error,
        frames: Sequence[zmq.Frame] = (),
    ) -> None:
        outcome = message.code if isinstance(message, protocol.Error) else "result"
        self.finished[outcome] += 1
        seconds = round(time.monotonic() - job.accepted, 3)
        _log.info("answered", id=job.id, job=job.number, outcome=outcome, seconds=seconds)
        job.forget_pixels()
        if job.session.jobs.get(job.id) is job:
            del job.session.jobs[job.id]
        self._tell(job, message, frames)


def _result(job: Job, done: inner.Done) -> protocol.Result:
    return protocol.Result(
        id=job.id,
        planes=done.planes,
        focus=done.focus,
        cached=done.cached,
        timing=done.timing,
        device=done.device,
    )


def _after_deaths(job: Job, reason: str) -> Refused:
    """Say why a job was given up; a SIGKILL not of our own is nearly always for want of memory."""
    if "signal 9" in reason:
        return Refused(
            "out_of_memory", f"the worker was killed {job.attempts} times (memory exhausted?)"
        )
    return Refused("internal", f"the worker {reason} ({job.attempts} times)")
