"""The expendable process: gets jobs from the server, hosts the engine, reports, can be killed."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import zmq
from typing_extensions import assert_never

from bokeh_core import errors
from daemon.runtime import log
from daemon.wire import codec, worker_protocol
from daemon.wire.refusal import Refused
from daemon.worker.engine_api import PlanesMissing, WrongField

if TYPE_CHECKING:
    from daemon.wire.protocol import Code
    from daemon.worker.engine_api import Engine, Outcome

STEP_EVERY_S = 0.05
_log = log.Log("defocus.worker")

CODES: dict[type[BaseException], Code] = {
    errors.InputError: "bad_request",
    errors.ModelMissing: "model_missing",
    errors.ModelCorrupt: "model_corrupt",
    errors.OutOfMemory: "out_of_memory",
    MemoryError: "out_of_memory",
    errors.Cancelled: "cancelled",
}
"""Class of the library's error -> code on the wire; anything else is `internal`."""


class Worker:
    """Serves one server until told to quit."""

    def __init__(self, socket: zmq.Socket[bytes], engine: Engine) -> None:
        self._socket = socket
        self._engine = engine
        self._quit = False

    def serve(self) -> None:
        """Run jobs one after the other."""
        while not self._quit:
            header, *frames = self._socket.recv_multipart(copy=False)
            message = worker_protocol.to_worker.decode(header.buffer)
            if isinstance(message, worker_protocol.Assignment):
                self._run(message, frames)
            elif isinstance(message, worker_protocol.Quit):
                return
            elif not isinstance(message, worker_protocol.Stop):  # of a job that is over
                assert_never(message)

    def _run(self, job: worker_protocol.Assignment, frames: list[zmq.Frame]) -> None:
        began = time.monotonic()
        pixels = {name: frame.buffer for name, frame in zip(job.planes, frames, strict=True)}
        del frames
        try:
            outcome = self._engine.run(job.user, job.request, pixels, _Reporter(self, job.number))
        except PlanesMissing as question:
            self._send(
                worker_protocol.Missing(
                    number=job.number, planes=question.planes, vitals=self._engine.vitals()
                )
            )
        except Exception as fault:  # noqa: BLE001 - whatever it is, the client gets an answer
            self._fail(job, fault)
        else:
            self._finish(job, outcome)
        del pixels
        gc.collect(0)
        seconds = round(time.monotonic() - began, 3)
        _log.info("job over", id=job.request.id, job=job.number, seconds=seconds)

    def _finish(self, job: worker_protocol.Assignment, outcome: Outcome) -> None:
        done = worker_protocol.Done(
            number=job.number,
            planes=outcome.planes,
            focus=outcome.focus,
            notes=outcome.notes,
            file_notes=outcome.file_notes,
            people=outcome.people,
            cached=outcome.cached,
            timing=outcome.timing,
            device=outcome.device,
            vitals=self._engine.vitals(),
        )
        planes = [plane.data.cast("B") for plane in outcome.pixels]
        self._socket.send_multipart([codec.encode(done), *planes], copy=False)

    def _fail(self, job: worker_protocol.Assignment, fault: Exception) -> None:
        code: Code = next(
            (CODES[kind] for kind in type(fault).__mro__ if kind in CODES), "internal"
        )
        text = str(fault) or type(fault).__name__
        if code == "internal":
            _log.exception("job failed", id=job.request.id, job=job.number)
            text = f"unexpected {type(fault).__name__}: {fault}"
        wrong = fault if isinstance(fault, WrongField) else None
        hint, field = (None, None) if wrong is None else (wrong.hint, wrong.field)
        refusal = Refused(code, text[:1000], hint, field=field)
        self._send(
            worker_protocol.Failed(
                number=job.number, error=refusal.reply(), vitals=self._engine.vitals()
            )
        )

    def listen(self, number: int) -> None:
        """Hear the server out in the middle of a job.

        Raises
        ------
        Cancelled
            The job was stopped, or the worker was told to quit.
        """
        while self._socket.poll(0):
            message = worker_protocol.to_worker.decode(self._socket.recv())
            if isinstance(message, worker_protocol.Quit):
                self._quit = True
                raise errors.Cancelled("the worker was told to quit")
            if isinstance(message, worker_protocol.Stop) and message.number == number:
                raise errors.Cancelled("cancelled")

    def tell(self, step: worker_protocol.Step) -> None:
        """Send a sign of life."""
        self._send(step)

    def _send(self, message: worker_protocol.FromWorker) -> None:
        self._socket.send(codec.encode(message))


class _Reporter:
    """The progress callback of one job: tells the server, and lets a stop interrupt the work."""

    def __init__(self, worker: Worker, number: int) -> None:
        self._worker = worker
        self._number = number
        self._told = 0.0

    def __call__(self, stage: str, fraction: float) -> None:
        self._worker.listen(self._number)
        now = time.monotonic()
        if now - self._told >= STEP_EVERY_S:
            self._told = now
            self._worker.tell(
                worker_protocol.Step(number=self._number, stage=stage, fraction=fraction)
            )


def main() -> None:
    """Connect to the server, load the engine, serve: `ENDPOINT ENGINE CACHE_BYTES DEVICE`."""
    endpoint, engine_module, cache_bytes, device = sys.argv[1:5]
    secret = _read_line()
    threading.Thread(target=_die_with_front, daemon=True).start()
    os.umask(0o077)
    log.to_stderr()
    engine: Engine = importlib.import_module(engine_module).create(int(cache_bytes), device or None)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.PAIR)
    socket.linger = 500
    socket.plain_username = b"worker"
    socket.plain_password = secret.encode()
    socket.connect(endpoint)
    ready = worker_protocol.Ready(devices=engine.devices, models=engine.models)
    socket.send(codec.encode(ready))
    Worker(socket, engine).serve()
    socket.close()
    context.term()


def _read_line() -> str:
    """Read a line from standard input without Python's buffers.

    A thread that waits in a buffered reader makes the interpreter abort when it shuts down.
    """
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(0, 1)):
        line += byte
    return line.strip().decode()


def _die_with_front() -> None:
    """Leave at once when the server is gone: it holds the other end of standard input."""
    while os.read(0, 1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
