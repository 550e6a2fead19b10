"""Speaks protocol 1 with the daemon: hello, render, cancel, status, shutdown."""

from __future__ import annotations

import dataclasses
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from daemon.light import msgpack
from daemon.light.errors import Cancelled, DaemonLost, PluginError, ProtocolError
from daemon.light.facts import PROTOCOL
from daemon.light.messages import Message
from daemon.light.words import tr
from daemon.light.zmtp import Dealer

if TYPE_CHECKING:
    from daemon.light.discovery import Connection
    from daemon.light.request import LayerRequest, Reply

TICK_S = 0.05  # how often a waiting thread looks whether the user cancelled
PING_S = 1.0
TOLD_S = 0.2  # what takes longer to hand over is told of
ANSWER_S = 5.0
REGIONS, STROKES, PEOPLE, FILES = 2, 5, 6, 7  # the protocol's minor versions that know them
CANCEL_S = 1.0  # so long is waited for the daemon's word that a job was cancelled

Report = Callable[[str, float], None]


def silent(_stage: str, _fraction: float) -> None:
    """Report to nobody."""


class Client:
    """A daemon that answers. Any thread may use it, several at once.

    Each question has a connection of its own (a millisecond): one that nobody reads from meanwhile
    would not answer the daemon's heartbeat, and be closed after a few seconds of quiet.

    Parameters
    ----------
    connection
        Where the daemon listens, from its connection file.
    name
        Who this is, for the daemon's log.

    Raises
    ------
    DaemonLost
        Nobody answers there.
    DaemonRefused
        The daemon turned the hello down (another version, a stale token).
    ProtocolError
        What answers there is no daemon.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection, self._name = connection, name
        self._closed = threading.Event()
        self._minor = 0
        self._open(connection.work)[0].close()

    def render(
        self,
        request: LayerRequest,
        report: Report = silent,
        stop: threading.Event | None = None,
    ) -> Reply:
        """Have one request computed and wait for its result.

        Parameters
        ----------
        request
            What to compute. Pixels travel only when the daemon does not hold them.
        report
            Called on this thread with the protocol's stage and the fraction done.
        stop
            Set by any thread to cancel.

        Raises
        ------
        Cancelled
            `stop` was set, or the client closed; the daemon has been told.
        DaemonRefused
            The daemon's typed error.
        DaemonLost
            The daemon went away: this client is of no more use.
        ProtocolError
            The daemon's words make no sense.
        PluginError
            The daemon is too old for a region or for strokes.
        """
        asked = {
            REGIONS: request.region is not None,
            STROKES: bool(request.strokes),
            PEOPLE: bool(request.people) or request.tell_people,
        }
        if any(self._minor < minor for minor, wanted in asked.items() if wanted):
            raise PluginError(
                tr(
                    "The Bokeh daemon that runs is of an older version: it shows no parts of a "
                    "picture, or knows no brushes. Stop it (Filters > Bokeh > Settings and Status, "
                    "or `defocus daemon stop`) and try again."
                )
            )
        if self._minor < FILES:  # the depth is estimated then
            request = dataclasses.replace(request, file=None)
        stop = stop or threading.Event()
        try:
            work, silence_s = self._open(self._connection.work)
            # the maps that come back take no more bytes than the picture
            work.largest_plane = memoryview(request.image.data).nbytes
            try:
                return self._conversation(_Job(work, silence_s), request, report, stop)
            finally:
                work.close()
        except DaemonLost as error:
            raise DaemonLost(
                tr(
                    "The Bokeh daemon stopped before the picture was ready ({error}). The image is "
                    "unchanged. Try again: the daemon is started anew."
                ).format(error=error)
            ) from error

    def status(self) -> Message:
        """Ask the daemon how it is; gives the protocol's `state`, see `daemon.light.status.State`.

        Raises
        ------
        DaemonLost, DaemonRefused, ProtocolError
            As of `render`.
        """
        return self._ask({"type": "status"}, "state")

    def shutdown(self) -> None:
        """Ask the daemon to finish what it has accepted, then to stop; raises as `status`."""
        self._ask({"type": "shutdown", "drain": True}, "stopping")

    def close(self) -> None:
        """Cancel whatever this client has asked for."""
        self._closed.set()

    def _conversation(
        self, job: _Job, request: LayerRequest, report: Report, stop: threading.Event
    ) -> Reply:
        def stopped() -> bool:
            return stop.is_set() or self._closed.is_set()

        job.send(request.header(job.id))
        for message in job.messages(stopped):
            if message.kind == "need":
                names = message.names("planes", list(request.planes))
                pixels = [request.planes[name].data for name in names]
                header = {"type": "pixels", "id": job.id, "planes": names}
                job.send(header, pixels, _handing_over(pixels, report, stopped))
            elif message.kind == "progress":
                report(message.text("stage"), message.number("fraction", 0.0, 1.0))
            elif message.kind == "result":
                return request.reply(message)
            elif message.kind == "error":
                refusal = message.refusal()
                if refusal.code == "cancelled" and job.told is not None:
                    raise Cancelled
                raise refusal
        raise Cancelled

    def _ask(self, question: dict[str, Any], answer: str) -> Message:
        """Ask one thing on the control socket, which answers also while the work socket is busy."""
        control, _ = self._open(self._connection.control)
        try:
            _send(control, question)
            return _answer(control, answer)
        finally:
            control.close()

    def _open(self, endpoint: str) -> tuple[Dealer, float]:
        """Connect and say hello; gives the connection, and the silence after which it is lost."""
        dealer = Dealer(endpoint)
        try:
            hello = {"type": "hello", "protocol": list(PROTOCOL), "token": self._connection.token}
            _send(dealer, {**hello, "client": self._name})
            welcome = _answer(dealer, "welcome")
            welcome.number("protocol", *PROTOCOL)
            self._minor = int(welcome.optional_number("minor", 0) or 0)
            return dealer, welcome.silence_s()
        except BaseException:
            dealer.close()
            raise


class _Job:
    """One render on its connection."""

    def __init__(self, work: Dealer, silence_s: float) -> None:
        self.id = secrets.token_hex(8)
        self.told: float | None = None
        """When the daemon was told to stop."""
        self._work, self._silence_s = work, silence_s
        self._heard = self._pinged = time.monotonic()

    def send(
        self,
        header: dict[str, Any],
        frames: Sequence[bytes] = (),
        sent: Callable[[int], None] | None = None,
    ) -> None:
        """Send a message; `sent` is told the bytes of it as `Dealer.send` tells them."""
        parts = [msgpack.packb(header), *frames]
        self._work.send(parts) if sent is None else self._work.send(parts, sent)

    def messages(self, stop: Callable[[], bool]) -> Iterator[Message]:
        """Yield the messages about this job; keeps the connection alive and passes a cancel on.

        A daemon that still talks, but no more about the job, has lost it: `progress` twice a second
        is a promise of the protocol.
        """
        while self.told is None or time.monotonic() - self.told < CANCEL_S:
            frames = self._work.receive(TICK_S)
            now = time.monotonic()
            if frames is not None:
                message = Message.read(frames)
                if message.of(self.id):
                    self._heard = now
                    yield message
            elif now - self._heard > self._silence_s:
                raise DaemonLost(tr("silent for {n} s").format(n=f"{self._silence_s:g}"))
            if now - self._pinged > PING_S:
                self.send({"type": "ping", "nonce": 0})
                self._pinged = now
            if self.told is None and stop():
                self.send({"type": "cancel", "id": self.id})
                self.told = now


def _send(dealer: Dealer, header: dict[str, Any]) -> None:
    dealer.send([msgpack.packb(header)])


def _handing_over(
    planes: Sequence[bytes], report: Report, stopped: Callable[[], bool]
) -> Callable[[int], None]:
    """Return what is told of bytes on their way: reports them, and ends it when nobody waits.

    The daemon forgets a job whose connection is closed.
    """
    size = sum(map(len, planes))
    done, told = 0, time.monotonic()

    def sent(piece: int) -> None:
        nonlocal done, told
        if stopped():
            raise Cancelled
        done += piece
        if time.monotonic() - told > TOLD_S:
            told = time.monotonic()
            report("pixels", min(1.0, done / size))

    return sent


def _answer(dealer: Dealer, kind: str) -> Message:
    """Wait for an answer; a `pong` may come unasked at any time."""
    until = time.monotonic() + ANSWER_S
    while True:
        frames = dealer.receive(until - time.monotonic())
        if frames is None:
            raise DaemonLost(tr("the daemon gave no answer within {n} s").format(n=f"{ANSWER_S:g}"))
        message = Message.read(frames)
        if message.kind == "error":
            raise message.refusal()
        if message.kind == kind:
            return message
        if message.kind != "pong":
            raise ProtocolError(f"`{message.kind}` instead of `{kind}`")
