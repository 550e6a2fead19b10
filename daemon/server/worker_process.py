"""The server's hold on its worker process: start it, talk to it, notice its death, end it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
import psutil
import zmq

from daemon.runtime import child_process
from daemon.runtime.log import Log
from daemon.server.jobs import LOCAL
from daemon.server.transport import bound
from daemon.server.worker_log import WorkerLog
from daemon.wire import codec, worker_protocol
from daemon.wire.discovery import MAX_IPC_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.server.doorkeeper import Doorkeeper
    from daemon.server.gate import Gate
    from daemon.server.settings import Settings

HANDSHAKE_MS = 2000
QUIT_S = 2.0
"""A worker asked to leave is killed after this."""

_log = Log("defocus.worker_process")


@dataclass(frozen=True)
class WorkerEnd:
    """How a worker process ended."""

    status: int
    """Its exit status; negative: the signal that killed it."""
    killed_for: str = ""
    """Why the server killed it; empty: it was not the server."""

    @property
    def signal(self) -> int | None:
        """The signal that killed it, if one did."""
        return -self.status if self.status < 0 else None

    def __str__(self) -> str:
        if self.killed_for:
            return f"had to be ended: {self.killed_for}"
        if self.signal is not None:
            return f"was killed by signal {self.signal}"
        return f"ended with status {self.status}"


class WorkerProcess:
    """One worker process at a time, and a private socket per process.

    A new socket for every process means that whatever a dead worker left half-sent is gone with it.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        settings: Settings,
        gate: Gate,
        doorkeeper: Doorkeeper,
    ) -> None:
        self._context = context
        self._settings = settings
        self._gate = gate
        self._doorkeeper = doorkeeper
        self._log = WorkerLog(settings.logs)
        self._process: subprocess.Popen[bytes] | None = None
        self._quitting: float | None = None
        self._killed_for = ""
        self._serial = 0
        self.socket: zmq.Socket[bytes] | None = None
        self.state: Literal["none", "starting", "idle", "busy"] = "none"
        self.since = time.monotonic()
        """When `state` last changed or the worker last gave a sign of life."""

    @property
    def pid(self) -> int | None:
        """The worker's process id."""
        return None if self._process is None else self._process.pid

    @property
    def leaving(self) -> bool:
        """Whether it was asked to quit."""
        return self._quitting is not None

    def start(self) -> None:
        """Launch a worker; `ready` follows, or `died` tells why not.

        Raises
        ------
        OSError, ZMQError
            The machine gives no socket or no process.
        """
        self._serial += 1
        socket = self._context.socket(zmq.PAIR)
        socket.linger = 0
        socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        self._gate.guard_worker(socket)
        self._doorkeeper.watch(socket)
        try:
            self._process = self._launch(self._bind(socket))
        except (OSError, zmq.ZMQError):
            self._doorkeeper.unwatch(socket)
            socket.close()
            raise
        self.socket = socket
        self._quitting = None
        self._become("starting")
        _log.info("worker started", pid=self.pid)

    def send(self, job: worker_protocol.Assignment, frames: list[zmq.Frame]) -> None:
        """Hand the idle worker a job."""
        assert self.socket is not None
        self._become("busy")
        try:
            self.socket.send_multipart([codec.encode(job), *frames], zmq.NOBLOCK, copy=False)
        except zmq.Again:
            # a worker that has just died leaves a socket on which sending would wait for ever
            self.kill("nobody is at the other end of its socket")

    def stop(self, number: int) -> None:
        """Ask the worker to give up a job."""
        self._tell(worker_protocol.Stop(number=number))

    def quit(self) -> None:
        """Ask the worker to leave."""
        if self._process is not None and self._quitting is None:
            self._quitting = time.monotonic()
            self._tell(worker_protocol.Quit())

    def kill(self, reason: str) -> None:
        """End the worker now; `died` reports it like any other death."""
        if self._process is not None:
            _log.warning("worker killed", pid=self.pid, reason=reason)
            self._killed_for = reason
            self._process.kill()

    def receive(self) -> Iterator[tuple[worker_protocol.FromWorker, list[zmq.Frame]]]:
        """Yield what the worker has said since the last call."""
        while self.socket is not None:
            try:
                header, *frames = self.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            message = self._read(header)
            if message is None:
                self.kill("it does not speak like a worker")
                return
            if isinstance(message, worker_protocol.Ready):
                fd = header.get(zmq.SRCFD)
                assert isinstance(fd, int)
                self._doorkeeper.admit(fd, b"", LOCAL)
                self._become("idle")
            elif isinstance(message, worker_protocol.Step):
                self.since = time.monotonic()
            elif self.state == "busy":
                self._become("idle")
            yield message, frames

    def died(self) -> WorkerEnd | None:
        """Tell how the worker ended, once, and clean up; None while it runs or there is none."""
        if self._process is None:
            return None
        status = self._process.poll()
        if status is None:
            if self._quitting is not None and time.monotonic() - self._quitting > QUIT_S:
                self.kill("did not leave when asked")
            return None
        end = WorkerEnd(status, self._killed_for)
        self._close()
        return end

    @property
    def last_words(self) -> str:
        """The last line that a worker has written."""
        return self._log.last

    def close(self) -> None:
        """End the worker and wait for it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._close()

    def rss_bytes(self) -> int:
        """Resident memory of the worker."""
        with contextlib.suppress(psutil.Error, OSError):
            return 0 if self.pid is None else int(psutil.Process(self.pid).memory_info().rss)
        return 0

    def _read(self, header: zmq.Frame) -> worker_protocol.FromWorker | None:
        try:
            return worker_protocol.from_worker.decode(header.buffer)
        except (msgspec.DecodeError, ValueError):
            return None

    def _tell(self, message: worker_protocol.Stop | worker_protocol.Quit) -> None:
        if self.socket is not None:
            with contextlib.suppress(zmq.Again):
                self.socket.send(codec.encode(message), zmq.NOBLOCK)

    def _become(self, state: Literal["none", "starting", "idle", "busy"]) -> None:
        self.state = state
        self.since = time.monotonic()

    def _bind(self, socket: zmq.Socket[bytes]) -> str:
        path = self._settings.directory / f"worker-{self._serial}.sock"
        if self._settings.tcp or sys.platform == "win32" or len(os.fsencode(path)) > MAX_IPC_PATH:
            socket.bind("tcp://127.0.0.1:*")
            return bound(socket)
        path.unlink(missing_ok=True)
        socket.bind(f"ipc://{path}")
        return f"ipc://{path}"

    def _launch(self, endpoint: str) -> subprocess.Popen[bytes]:
        settings = self._settings
        process = subprocess.Popen(
            [
                *child_process.own_module("daemon.worker.main", endpoint),
                *(settings.engine, str(settings.cache_bytes), settings.device or ""),
            ],
            stdin=subprocess.PIPE,  # its closing tells the worker that the server is gone
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # threads that spin at barriers starve each other when an editor computes beside them:
            # 10 s instead of 2 s for one small render on two busy cores
            env={"OMP_WAIT_POLICY": "PASSIVE", **child_process.environment()},
            cwd=child_process.ANCHOR,
            start_new_session=True,  # Ctrl+C in the server's terminal is the server's business
        )
        assert process.stdin is not None
        assert process.stdout is not None
        self._log.follow(process.stdout)
        process.stdin.write(self._gate.worker_secret.encode() + b"\n")
        process.stdin.flush()
        return process

    def _close(self) -> None:
        assert self._process is not None
        assert self.socket is not None
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._log.finish()
        endpoint = bound(self.socket)
        self._doorkeeper.unwatch(self.socket)
        self.socket.close()
        if endpoint.startswith("ipc://"):
            Path(endpoint.removeprefix("ipc://")).unlink(missing_ok=True)
        self._process = None
        self.socket = None
        self._quitting = None
        self._killed_for = ""
        self._become("none")
