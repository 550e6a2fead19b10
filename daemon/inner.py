"""Messages between the front and its worker: same form as protocol 1, private to one daemon.

front                                  worker
  |     <-  ready {devices, models}      |    once, when the library is loaded
  | job {number, request, planes} + frames ->
  |     <-  step {number, stage, fraction}    while it computes
  |     <-  done + frames | failed | missing  exactly one of the three
  | stop {number}                   ->        raises Cancelled inside the computation
  | quit                            ->
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct, field, msgpack

from daemon.figures import Cache, Model
from daemon.planes import Digest, Input, Level, ResultPlane
from daemon.protocol import Code, Message, Render


class Job(Message, tag="job", frozen=True, kw_only=True):
    """Work for the worker; the frames that follow are the pixels of `planes`."""

    number: int
    request: Render
    planes: list[Input]


class Stop(Message, tag="stop", frozen=True, kw_only=True):
    """Give up this job; too late is fine."""

    number: int


class Quit(Message, tag="quit", frozen=True, kw_only=True):
    """Leave: frees the device for real."""


class Ready(Message, tag="ready", frozen=True, kw_only=True):
    """The library is loaded and warm."""

    secret: str
    devices: list[str]
    models: list[Model]


class Vitals(Struct, frozen=True, kw_only=True):
    """What the front tells in `status`, and the planes it need not ask clients for."""

    held: list[Digest] = field(default_factory=list)
    cache: dict[str, Cache] = field(default_factory=dict)
    device_bytes: int = 0


class Step(Message, tag="step", frozen=True, kw_only=True):
    """A sign of life and progress."""

    number: int
    stage: str
    fraction: float


class Done(Message, tag="done", frozen=True, kw_only=True):
    """The result; its planes are the frames that follow."""

    number: int
    planes: list[ResultPlane]
    focus: float | None
    cached: list[Level]
    timing: dict[str, float]
    device: str
    vitals: Vitals


class Failed(Message, tag="failed", frozen=True, kw_only=True):
    """The job came to a typed end without a result."""

    number: int
    code: Code
    message: str
    vitals: Vitals


class Missing(Message, tag="missing", frozen=True, kw_only=True):
    """These planes have left the cache meanwhile: send the job again with their pixels."""

    number: int
    planes: list[Input]
    vitals: Vitals


ToWorker: TypeAlias = Job | Stop | Quit
FromWorker: TypeAlias = Ready | Step | Done | Failed | Missing

to_worker = msgpack.Decoder(ToWorker)
from_worker = msgpack.Decoder(FromWorker)
