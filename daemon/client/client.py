"""The daemon's client in Python: connect, render with progress and cancel, typed errors."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import zmq

from daemon.client import launch
from daemon.client.errors import ConnectionLost, DaemonError, NotRunning, ProtocolError
from daemon.client.request import Pixels, Rendered, RenderRequest
from daemon.runtime.version import VERSION
from daemon.wire import capabilities, codec, curve_auth, discovery, protocol
from daemon.wire.curve_auth import Remote
from daemon.wire.refusal import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

    from daemon.wire.planes import Input

Progress = Callable[[str, float], None]


def _silent(_: str) -> None:
    """Tell nobody."""


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

Answer = TypeVar("Answer", bound=protocol.Message)
Received = tuple[protocol.ServerMessage | None, list[zmq.Frame]]

HELLO_S = capabilities.Limits().answer_s
TICK_MS = 50


class Client:
    """One client's conversation with a running daemon; use as a context manager.

    Parameters
    ----------
    where
        The daemon's connection file, see `connect`, or a daemon on another machine.
    name
        Shown in the daemon's log.

    Raises
    ------
    ConnectionLost
        Nobody answers, or (`ProtocolError`) no daemon.
    DaemonError
        The daemon refuses (other protocol, wrong token).
    """

    def __init__(self, where: discovery.Connection | Remote, name: str = "defocus") -> None:
        self._where = where
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._session = secrets.token_hex(16)
        self._name = name
        self._sockets: dict[str, zmq.Socket[bytes]] = {}
        try:
            self.welcome = self._open("work", where.work)
            self._open("control", where.control)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close both sockets."""
        for socket in self._sockets.values():
            socket.close()
        self._context.term()

    def render(
        self,
        job: RenderRequest,
        *,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Rendered:
        """Have a job done.

        Parameters
        ----------
        job
            What to compute.
        progress
            Called as `progress(stage, fraction)` with what the daemon reports.
        cancelled
            Asked about twenty times a second; true cancels the request, as does Ctrl+C.

        Raises
        ------
        DaemonError
            The typed error of the daemon, such as `busy` or `cancelled`.
        ConnectionLost
            The daemon went away; the same job may be sent to a new one.
        ProtocolError
            A `ConnectionLost`: its answer cannot be understood.
        """
        header, pixels = job.message(secrets.token_hex(8))
        self._send("work", header)
        try:
            return self._conversation(header, pixels, progress, cancelled)
        except BaseException as fault:
            if not isinstance(fault, DaemonError | ConnectionLost):
                self._send("work", protocol.Cancel(id=header.id))
            raise

    def status(self) -> protocol.State:
        """Ask how the daemon is."""
        return self._ask(protocol.Status(), protocol.State)

    def ping(self) -> float:
        """Return the round-trip time of a control message in seconds."""
        began = time.perf_counter()
        self._ask(protocol.Ping(nonce=secrets.randbits(31)), protocol.Pong)
        return time.perf_counter() - began

    def shutdown(self, *, drain: bool = True) -> int:
        """Tell the daemon to stop; gives the number of requests that it finishes first."""
        return self._ask(protocol.Shutdown(drain=drain), protocol.Stopping).jobs

    def _conversation(
        self,
        asked: protocol.Render,
        pixels: dict[Input, Pixels],
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
    ) -> Rendered:
        told = False
        for message, frames in self._messages("work", asked.id):
            if cancelled is not None and not told and cancelled():
                told = True
                self._send("work", protocol.Cancel(id=asked.id))
            if isinstance(message, protocol.Need):
                self._hand_over(message, pixels)
            elif isinstance(message, protocol.Progress) and progress is not None:
                progress(message.stage, message.fraction)
            elif isinstance(message, protocol.Result):
                return Rendered.read(message, frames, asked)
            elif isinstance(message, protocol.Error):
                raise DaemonError(message)
        raise AssertionError("unreachable: _messages ends only by an exception")

    def _hand_over(self, need: protocol.Need, pixels: dict[Input, Pixels]) -> None:
        if not set(need.planes) <= set(pixels):
            raise ProtocolError(f"it needs {need.planes}, given were {list(pixels)}")
        planes = [pixels[name] for name in need.planes]
        self._send("work", protocol.Pixels(id=need.id, planes=need.planes), planes)

    def _messages(self, name: str, request: str | None = None) -> Iterator[Received]:
        """Yield (message, frames), or (None, []) about twenty times a second, until silence.

        With a `request` only messages about it: a daemon that still talks, but no more of that, has
        lost it. An error that is about no request in particular is about this one.
        """
        socket = self._sockets[name]
        heard = time.monotonic()
        while True:
            if socket.poll(TICK_MS):
                message, frames = _read(socket.recv_multipart(copy=False))
                about = getattr(message, "id", None)
                if request in {None, about} or (
                    about is None and isinstance(message, protocol.Error)
                ):
                    heard = time.monotonic()
                    yield message, frames
                continue
            silent = time.monotonic() - heard
            gone = not self._where.alive and not socket.poll(TICK_MS)  # its last word was read
            if silent > capabilities.Limits().silence_s or gone:
                raise ConnectionLost(f"the daemon has been silent for {silent:.1f} s")
            yield None, []

    def _ask(self, question: protocol.Message, kind: type[Answer]) -> Answer:
        self._send("control", question)
        until = time.monotonic() + capabilities.Limits().silence_s
        for message, _ in self._messages("control"):
            if time.monotonic() > until:  # unasked pongs are no answer
                raise ConnectionLost(f"no answer to {question}")
            if isinstance(message, protocol.Error):
                raise DaemonError(message)
            if isinstance(message, kind) and getattr(message, "nonce", 0) == getattr(
                question, "nonce", 0
            ):
                return message
        raise AssertionError("unreachable: _messages ends only by an exception")

    def _send(self, name: str, message: protocol.Message, planes: Sequence[Pixels] = ()) -> None:
        """Send without waiting: a socket whose peer has hung up would wait for ever for another."""
        frames = [plane.data.cast("B") for plane in planes]
        try:
            self._sockets[name].send_multipart(
                [codec.encode(message), *frames], zmq.NOBLOCK, copy=False
            )
        except zmq.Again:
            raise ConnectionLost("the daemon has gone away") from None

    def _open(self, name: str, endpoint: str) -> protocol.Welcome:
        socket = self._sockets[name] = self._context.socket(zmq.DEALER)
        # from the start: set at the close only, it does not hold for a connection whose handshake
        # has failed (a wrong key), and the context waits for ever for the hello to leave
        socket.linger = 0
        # a restarted daemon does not know this session, so a silent reconnect would only hide it
        socket.setsockopt(zmq.RECONNECT_IVL, -1)
        socket.setsockopt(zmq.MAXMSGSIZE, capabilities.Limits().max_frame_bytes)
        if isinstance(self._where, Remote):
            self._where.secure(socket)
        socket.connect(endpoint)
        hello = protocol.Hello(
            protocol=protocol.PROTOCOL,
            token=self._where.token,
            client=f"{self._name} {VERSION}",
            session=self._session,
        )
        keys_too = ", or a key is wrong" if isinstance(self._where, Remote) else ""
        try:
            self._send(name, hello)
        except ConnectionLost:  # the handshake failed before the hello was on its way
            raise ConnectionLost(f"{endpoint} has hung up{keys_too}") from None
        if not socket.poll(int(HELLO_S * 1000)):
            raise ConnectionLost(f"no answer from {endpoint} within {HELLO_S:g} s{keys_too}")
        answer, _ = _read(socket.recv_multipart(copy=False))
        if isinstance(answer, protocol.Error):
            raise DaemonError(answer)
        if not isinstance(answer, protocol.Welcome):
            raise ProtocolError(f"{type(answer).__name__} instead of Welcome")
        return answer


def _read(received: list[zmq.Frame]) -> tuple[protocol.ServerMessage, list[zmq.Frame]]:
    """Take a message apart."""
    header, *frames = received
    try:
        message = codec.decode_server(header.buffer)
    except Refused as unreadable:
        raise ProtocolError(unreadable.message) from None
    if frames and not isinstance(message, protocol.Result):
        raise ProtocolError(f"{type(message).__name__} with {len(frames)} frames too many")
    return message, frames


def connect(
    *,
    start: bool = True,
    name: str = "defocus",
    directory: Path | None = None,
    say: Callable[[str], None] = _silent,
) -> Client:
    """Connect to this user's daemon, started if there is none, or to that of `$DEFOCUS_REMOTE`.

    One that runs another version of the program is replaced when its work is done.

    Parameters
    ----------
    start
        Whether to start one where none runs.
    name
        Shown in the daemon's log.
    directory
        The runtime directory; None: this user's.
    say
        Told, in a sentence, what takes longer than usual.

    Raises
    ------
    NotRunning
        No daemon answers, and none could be or was to be started; the text says why.
    DaemonError
        The running daemon refuses the client (another protocol version).
    """
    if directory is None and (address := os.environ.get("DEFOCUS_REMOTE")):
        return _connect_far(address, name)
    try:
        folder = discovery.runtime_dir() if directory is None else directory
    except OSError as fault:
        reason = f"{fault.filename}: {fault.strerror}" if fault.filename else str(fault)
        raise NotRunning(f"no place for a daemon: {reason}") from fault
    where = discovery.find(folder)
    if where is not None and not launch.is_current(where):
        say(launch.OUTDATED)
    elif where is not None:
        try:
            return Client(where, name)
        except ConnectionLost as fault:
            if not start:
                raise NotRunning(str(fault)) from fault
    elif not start:
        raise NotRunning("no daemon is running")
    try:
        return Client(launch.start_detached(folder), name)
    except (launch.StartFailed, ConnectionLost) as fault:
        raise NotRunning(str(fault)) from None


def _connect_far(address: str, name: str) -> Client:
    try:
        return Client(curve_auth.remote(address), name)
    except (curve_auth.KeyProblem, ConnectionLost) as fault:
        raise NotRunning(f"{address}: {fault}") from None


def render(
    job: RenderRequest,
    *,
    start: bool = True,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    say: Callable[[str], None] = _silent,
) -> Rendered:
    """Have one job done, with a second try when the daemon is lost on the way.

    `start` and `say` are those of `connect`.

    Raises
    ------
    NotRunning, DaemonError
        As of `connect` and `Client.render`.
    ConnectionLost
        The daemon went away in the middle, and at the second try again or there was none.
    """
    try:
        with connect(start=start, say=say) as client:
            return client.render(job, progress=progress, cancelled=cancelled)
    except ConnectionLost as lost:
        try:
            with connect(start=start, say=say) as client:
                return client.render(job, progress=progress, cancelled=cancelled)
        except NotRunning as gone:
            raise ConnectionLost(f"{lost}; {gone}") from gone
