"""The resident process: one loop over the clients' sockets and the worker. Never imports torch.

It computes nothing and waits for nothing but its sockets, so one thread answers control requests
while the worker is at full load.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import zmq

from daemon import __version__, connection, heap, keys
from daemon.desk import Desk
from daemon.keys import Gate
from daemon.link import WorkerLink
from daemon.log import Log
from daemon.post import Post, bound
from daemon.schedule import Schedule

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from daemon.metrics import Metrics
    from daemon.settings import Settings

BUSY_TICK_MS = 50
IDLE_TICK_MS = 1000
_log = Log("defocus.front")


class Front:
    """The daemon: made, run until told to stop, closed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._post = Post(self._context, settings.limits)
        self._link = WorkerLink(self._context, settings)
        self._schedule = Schedule(settings, self._link, self._post)
        self._token = connection.new_token()
        self._desk = Desk(settings, self._token, self._schedule, self._link, self._post)
        self._gate: Gate | None = None
        self._metrics = _metrics(settings.metrics_port)
        self._signals = 0
        self._probe_at = 0.0

    def bind(self) -> connection.Connection:
        """Bind both sockets and say where they are."""
        settings, sockets = self._settings, self._post.sockets.values()
        endpoints = connection.endpoints(settings.directory, tcp=settings.tcp)
        for socket, endpoint in zip(sockets, endpoints, strict=True):
            _remove_stale(endpoint)
            socket.bind(endpoint)
        work, control = map(bound, self._post.sockets.values())
        if settings.listen is not None:
            self._listen(settings.listen)
        return connection.Connection(
            pid=os.getpid(),
            started=connection.process_start(os.getpid()),
            server=__version__,
            work=work,
            control=control,
            token=self._token,
        )

    def _listen(self, address: str) -> None:
        """Let remote clients in, on two ports, each through the gate."""
        if not keys.allowed():
            raise keys.KeyProblem(
                "nobody is allowed to connect yet: run `defocus daemon keys allow NAME 'KEY'` first"
            )
        host, port = keys.split(address)
        self._gate = self._desk.gate = Gate(self._context)
        for offset, socket in enumerate(self._post.sockets.values()):
            self._gate.guard(socket, f"tcp://{host}:{port + offset}")
        _log.info("listening for remote clients", address=address, allowed=len(keys.allowed()))

    def run(self) -> None:
        """Serve until a shutdown request or a signal, then until the last answer is out."""
        if self._settings.preload:
            self._schedule.start_worker()
        while not (self._desk.stopping and not self._schedule.busy and not self._post.pending):
            self._turn()

    def close(self) -> None:
        """Free everything; answers already sent get a second to leave."""
        self._link.close()
        if self._gate is not None:
            self._gate.close()
        if self._metrics is not None:
            self._metrics.close()
        self._post.close(linger_ms=1000)
        self._context.term()

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Stop in order at the first signal, at once at the second."""
        self._signals += 1
        if self._signals > 1:
            raise SystemExit(128 + number)
        self._desk.stop(drain=False)

    def _turn(self) -> None:
        poller = zmq.Poller()
        for socket in self._post.sockets.values():
            poller.register(socket, zmq.POLLIN)
        if self._link.socket is not None:
            poller.register(self._link.socket, zmq.POLLIN)
        if self._gate is not None:
            poller.register(self._gate.socket, zmq.POLLIN)
        active = self._schedule.busy or self._post.pending or self._link.state == "starting"
        poller.poll(BUSY_TICK_MS if active or self._desk.stopping else IDLE_TICK_MS)
        if self._gate is not None:
            self._gate.answer()
        self._serve_clients()
        self._serve_worker()
        self._schedule.tick()
        if time.monotonic() > self._probe_at:
            self._probe_at = time.monotonic() + self._settings.limits.silence_s
            self._desk.probe()
            if not active:
                heap.give_back()
            if self._metrics is not None:
                self._metrics.update(self._desk.state())
        self._post.flush()
        for peer in self._post.gone:
            self._desk.leave(peer)
        self._post.gone.clear()

    def _serve_clients(self) -> None:
        for name in ("control", "work"):
            for peer, parts in self._post.receive(name):
                self._desk.receive(peer, parts)

    def _serve_worker(self) -> None:
        for message, frames in self._link.receive():
            self._schedule.on_worker(message, frames)
        leaving = self._link.leaving
        reason = self._link.died()
        if reason is not None:
            self._schedule.on_worker_died(reason, expected=leaving)


def serve(settings: Settings) -> None:
    """Be the daemon of this user until told to stop.

    Raises
    ------
    AlreadyRunning
        Another daemon of this user holds the lock.
    """
    taken = connection.lock(settings.directory)
    heap.keep_freed()
    front = Front(settings)
    try:
        where = front.bind()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, front.on_signal)
        files: list[Path] = connection.publish(where, settings.directory)
        _log.info("listening", pid=where.pid, work=where.work, control=where.control)
        try:
            front.run()
        finally:
            connection.withdraw(where, files)
    finally:
        front.close()
        taken.release()
        _log.info("stopped")


def _metrics(port: int | None) -> Metrics | None:
    if port is None:
        return None
    try:
        from daemon.metrics import Metrics  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise OSError("--metrics-port needs the extra: python3 install.py --with metrics") from None
    return Metrics(port)


def _remove_stale(endpoint: str) -> None:
    """Remove the socket file of a daemon that was killed; the lock says that nobody uses it."""
    if endpoint.startswith("ipc://"):
        path = endpoint.removeprefix("ipc://")
        if os.path.lexists(path):
            os.unlink(path)  # noqa: PTH108 - a plain string from the endpoint
