"""The front's hold on its worker process: start it, talk to it, notice its death, end it."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
import psutil
import zmq

from daemon import children, codec, inner
from daemon.connection import MAX_IPC_PATH
from daemon.log import MAX_LOG_BYTES, WORKER_LOG_NAME, Log
from daemon.post import bound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from daemon.settings import Settings

QUIT_S = 2.0
"""A worker asked to leave is killed after this."""

_log = Log("defocus.link")


class WorkerLink:
    """One worker process at a time, and a private socket per process.

    A new socket for every process means that whatever a dead worker left half-sent is gone with it.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], settings: Settings) -> None:
        self._context = context
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._secret = ""
        self._quitting: float | None = None
        self._killed = ""
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
        self._secret = secrets.token_hex(16)
        socket = self._context.socket(zmq.PAIR)
        socket.linger = 0
        try:
            endpoint = self._bind(socket)
            with self._log_file() as log:
                self._process = self._launch(endpoint, log)
        except (OSError, zmq.ZMQError):
            socket.close()
            raise
        self.socket = socket
        self._quitting = None
        self._become("starting")
        _log.info("worker started", pid=self.pid)

    def send(self, job: inner.Job, frames: list[zmq.Frame]) -> None:
        """Give the idle worker a job."""
        assert self.socket is not None
        self._become("busy")
        try:
            self.socket.send_multipart([codec.encode(job), *frames], zmq.NOBLOCK, copy=False)
        except zmq.Again:
            # a worker that has just died leaves a socket on which sending would wait for ever
            self.kill("nobody is at the other end of its socket")

    def stop(self, number: int) -> None:
        """Ask the worker to give up a job."""
        self._tell(inner.Stop(number=number))

    def quit(self) -> None:
        """Ask the worker to leave."""
        if self._process is not None and self._quitting is None:
            self._quitting = time.monotonic()
            self._tell(inner.Quit())

    def kill(self, reason: str) -> None:
        """End the worker now; `died` reports it like any other death."""
        if self._process is not None:
            _log.warning("worker killed", pid=self.pid, reason=reason)
            self._killed = reason
            self._process.kill()

    def receive(self) -> Iterator[tuple[inner.FromWorker, list[zmq.Frame]]]:
        """Give what the worker has said since the last call."""
        while self.socket is not None:
            try:
                header, *frames = self.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            message = self._read(header)
            if message is None:
                self.kill("it does not speak like a worker")
                return
            if isinstance(message, inner.Ready):
                self._become("idle")
            elif isinstance(message, inner.Step):
                self.since = time.monotonic()
            elif self.state == "busy":
                self._become("idle")
            yield message, frames

    def died(self) -> str | None:
        """Tell how the worker ended, once, and clean up; None while it runs or there is none."""
        if self._process is None:
            return None
        status = self._process.poll()
        if status is None:
            if self._quitting is not None and time.monotonic() - self._quitting > QUIT_S:
                self.kill("did not leave when asked")
            return None
        killed = self._killed
        self._close()
        if killed:
            return f"had to be ended: {killed}"
        return f"killed by signal {-status}" if status < 0 else f"ended with status {status}"

    def close(self) -> None:
        """End the worker and wait for it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._close()

    def rss_bytes(self) -> int:
        """Resident memory of the worker."""
        with contextlib.suppress(psutil.Error):
            return 0 if self.pid is None else int(psutil.Process(self.pid).memory_info().rss)
        return 0

    def _read(self, header: zmq.Frame) -> inner.FromWorker | None:
        try:
            message: inner.FromWorker = inner.from_worker.decode(header.buffer)
        except (msgspec.DecodeError, ValueError):
            return None
        foreign = isinstance(message, inner.Ready) and message.secret != self._secret
        return None if foreign else message

    def _tell(self, message: inner.Stop | inner.Quit) -> None:
        if self.socket is not None:
            with contextlib.suppress(zmq.Again):
                self.socket.send(codec.encode(message), zmq.NOBLOCK)

    def _become(self, state: Literal["none", "starting", "idle", "busy"]) -> None:
        self.state = state
        self.since = time.monotonic()

    def _bind(self, socket: zmq.Socket[bytes]) -> str:
        path = self._settings.directory / f"worker-{self._serial}.sock"
        if sys.platform == "win32" or len(os.fsencode(path)) > MAX_IPC_PATH:
            socket.bind("tcp://127.0.0.1:*")
            return bound(socket)
        path.unlink(missing_ok=True)
        socket.bind(f"ipc://{path}")
        return f"ipc://{path}"

    def _log_file(self) -> IO[bytes]:
        path = self._settings.logs / WORKER_LOG_NAME
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.exists() and path.stat().st_size > MAX_LOG_BYTES
            return path.open("wb" if fresh else "ab")
        return Path(os.devnull).open("wb")

    def _launch(self, endpoint: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
        settings = self._settings
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "daemon.worker", endpoint),
                *(settings.engine, str(settings.cache_bytes), settings.device),
            ],
            stdin=subprocess.PIPE,  # its closing tells the worker that the front is gone
            stdout=log,
            stderr=log,
            # threads that spin at barriers starve each other when an editor computes beside them:
            # 10 s instead of 2 s for one small render on two busy cores
            env={"OMP_WAIT_POLICY": "PASSIVE", **children.environment()},
            start_new_session=True,  # Ctrl+C in the front's terminal is the front's business
        )
        assert process.stdin is not None
        process.stdin.write(self._secret.encode() + b"\n")
        process.stdin.flush()
        return process

    def _close(self) -> None:
        assert self._process is not None
        assert self.socket is not None
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        endpoint = bound(self.socket)
        self.socket.close()
        if endpoint.startswith("ipc://"):
            Path(endpoint.removeprefix("ipc://")).unlink(missing_ok=True)
        self._process = None
        self.socket = None
        self._quitting = None
        self._killed = ""
        self._become("none")


def last_words(settings: Settings) -> str:
    """Give the last line that a worker wrote before it died."""
    with contextlib.suppress(OSError, UnicodeDecodeError, msgspec.DecodeError):
        lines = (settings.logs / WORKER_LOG_NAME).read_text(encoding="utf-8").splitlines()
        return lines[-1][-300:] if lines else ""
    return ""
