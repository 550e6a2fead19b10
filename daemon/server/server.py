"""The resident process: one loop over the clients' sockets and the worker. Never imports torch.

It computes nothing and waits for nothing but its sockets, so one thread answers control requests
while the worker is at full load.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import zmq

from daemon.light import program
from daemon.runtime.log import Log
from daemon.runtime.version import VERSION
from daemon.server import doorkeeper, heap, presence
from daemon.server.doorkeeper import Doorkeeper
from daemon.server.gate import Gate
from daemon.server.handlers import Handlers
from daemon.server.scheduler import Scheduler
from daemon.server.transport import Transport, bound
from daemon.server.worker_process import WorkerProcess
from daemon.wire import curve_auth, discovery

if TYPE_CHECKING:
    from types import FrameType

    from daemon.server.metrics import Metrics
    from daemon.server.settings import Settings

BUSY_TICK_MS = 50
IDLE_TICK_MS = 1000
_log = Log("defocus.server")


class Server:
    """The daemon: made, run until told to stop, closed."""

    def __init__(self, settings: Settings) -> None:
        descriptors = doorkeeper.raise_limit()
        if descriptors < doorkeeper.FEW_DESCRIPTORS and not settings.tcp:
            _log.warning("too few open files for ipc: loopback tcp instead", at_most=descriptors)
            settings = dataclasses.replace(settings, tcp=True)
        self._settings = settings
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._doorkeeper = Doorkeeper(settings.limits, descriptors)
        self._transport = Transport(self._context, settings.limits, self._doorkeeper)
        self._gate = Gate(self._context)
        self._worker = WorkerProcess(self._context, settings, self._gate, self._doorkeeper)
        self._scheduler = Scheduler(settings, self._worker, self._transport)
        self._token = presence.new_token()
        self._handlers = Handlers(
            settings,
            self._token,
            self._scheduler,
            self._worker,
            self._transport,
            self._doorkeeper,
            self._gate,
        )
        self._metrics = _metrics(settings.metrics_port)
        self._signals = 0
        self._probe_at = 0.0
        self.claim: presence.Claim | None = None

    def bind(self) -> discovery.Connection:
        """Bind both sockets and say where they are."""
        settings, sockets = self._settings, self._transport.sockets.values()
        endpoints = discovery.endpoints(settings.directory, tcp=settings.tcp)
        for socket, endpoint in zip(sockets, endpoints, strict=True):
            _remove_stale(endpoint)
            socket.bind(endpoint)
        work, control = map(bound, self._transport.sockets.values())
        if settings.listen is not None:
            self._listen(settings.listen)
        return discovery.Connection(
            pid=os.getpid(),
            started=discovery.process_start(os.getpid()),
            server=VERSION,
            program=program.digest(),
            options=settings.options,
            work=work,
            control=control,
            token=self._token,
        )

    def _listen(self, address: str) -> None:
        """Let remote clients in, on two ports, each through the gate."""
        if not curve_auth.allowed():
            raise curve_auth.KeyProblem(
                "nobody is allowed to connect yet: run `defocus daemon keys allow NAME 'KEY'` first"
            )
        host, port = curve_auth.split(address)
        for offset, socket in enumerate(self._transport.sockets.values()):
            self._gate.guard(socket, f"tcp://{host}:{port + offset}")
        _log.info(
            "listening for remote clients", address=address, allowed=len(curve_auth.allowed())
        )

    def run(self) -> None:
        """Serve until a shutdown request or a signal, then until the last answer is out."""
        if self._settings.preload:
            self._scheduler.start_worker()
        while not (
            self._handlers.stopping and not self._scheduler.busy and not self._transport.pending
        ):
            self._turn()

    def close(self) -> None:
        """Free everything; answers already sent get a second to leave."""
        self._worker.close()
        self._gate.close()
        if self._metrics is not None:
            self._metrics.close()
        self._transport.close(linger_ms=1000)
        self._context.term()

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Stop in order at the first signal, at once at the second."""
        self._signals += 1
        if self._signals > 1:
            raise SystemExit(128 + number)
        self._handlers.stop(drain=False)

    def _turn(self) -> None:
        active = self._scheduler.busy or self._transport.pending or self._worker.state == "starting"
        self._wait(BUSY_TICK_MS if active or self._handlers.stopping else IDLE_TICK_MS)
        self._gate.answer()
        self._serve_clients()
        self._doorkeeper.look()  # after what has arrived was read: a hello may be among it
        self._serve_worker()
        self._scheduler.tick()
        self._handlers.announce()
        if time.monotonic() > self._probe_at:
            self._probe_at = time.monotonic() + self._settings.limits.silence_s
            self._handlers.probe()
            self._look_at_claim()
            self._look_at_program()
            if not active:
                heap.give_back()
            if self._metrics is not None:
                self._metrics.update(self._handlers.state())
        if not (active or self._handlers.stopping) and self._unused_s() > self._settings.leave_s:
            _log.info("nobody needs the daemon any more", after_s=self._settings.leave_s)
            self._handlers.stop(drain=True)
        self._transport.flush()
        for peer in self._transport.gone:
            self._handlers.leave(peer)
        self._transport.gone.clear()

    def _unused_s(self) -> float:
        """Return how long there has been no work, not even a worker's start or end."""
        return 0.0 if self._scheduler.busy else time.monotonic() - self._worker.since

    def _look_at_claim(self) -> None:
        """Stop in order when nobody can find this daemon any more: the next client starts anew."""
        if self.claim is not None and not self._handlers.stopping and not self.claim.holds():
            _log.warning("the runtime directory was emptied or taken", pid=os.getpid())
            self._handlers.stop(drain=True)

    def _look_at_program(self) -> None:
        """Stop in order when the program was moved or deleted: it could start no other worker."""
        if not (self._handlers.stopping or Path(sys.executable).exists()):
            _log.warning("the program was moved or deleted", python=sys.executable)
            self._handlers.stop(drain=True)

    def _wait(self, at_most_ms: int) -> None:
        """Wait until a socket has something, or it is time to look after what has none."""
        poller = zmq.Poller()
        for socket in (*self._transport.sockets.values(), *self._doorkeeper.monitors):
            poller.register(socket, zmq.POLLIN)
        if self._worker.socket is not None:
            poller.register(self._worker.socket, zmq.POLLIN)
        poller.register(self._gate.socket, zmq.POLLIN)
        patience_ms = self._doorkeeper.patience_ms
        poller.poll(at_most_ms if patience_ms is None else min(patience_ms, at_most_ms))

    def _serve_clients(self) -> None:
        for name in ("control", "work"):
            for peer, parts in self._transport.receive(name):
                self._handlers.receive(peer, parts)

    def _serve_worker(self) -> None:
        for message, frames in self._worker.receive():
            self._scheduler.on_worker(message, frames)
        leaving = self._worker.leaving
        end = self._worker.died()
        if end is not None:
            self._scheduler.on_worker_died(end, expected=leaving)


def serve(settings: Settings) -> None:
    """Be the daemon of this user until told to stop.

    Raises
    ------
    AlreadyRunning
        Another daemon of this user holds the lock.
    """
    os.umask(0o077)  # logs, lock, sockets and connection file are this user's alone
    taken = presence.lock(settings.directory)
    heap.keep_freed()
    server = Server(settings)
    try:
        where = server.bind()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, server.on_signal)
        server.claim = presence.Claim(where, settings.directory)
        _log.info("listening", pid=where.pid, work=where.work, control=where.control)
        try:
            server.run()
        finally:
            server.claim.withdraw()
    finally:
        with contextlib.nullcontext() if server.claim is None else server.claim.sparing_others():
            server.close()
        taken.release()
        _log.info("stopped")


def _metrics(port: int | None) -> Metrics | None:
    if port is None:
        return None
    try:
        from daemon.server.metrics import Metrics  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise OSError("--metrics-port needs the extra metrics: see defocus doctor") from None
    return Metrics(port)


def _remove_stale(endpoint: str) -> None:
    """Remove the socket file of a daemon that was killed; the lock says that nobody uses it."""
    if endpoint.startswith("ipc://"):
        path = endpoint.removeprefix("ipc://")
        if os.path.lexists(path):
            os.unlink(path)  # noqa: PTH108 - a plain string from the endpoint
