"""Messages between the server and its worker: same form as protocol 1, private to one daemon.

server                                 worker
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

from daemon.wire.capabilities import Cache, Model
from daemon.wire.people import Person  # noqa: TC001 - read by msgspec
from daemon.wire.planes import Digest, Input, Level, ResultPlane
from daemon.wire.protocol import Error, Message, Render


class Assignment(Message, tag="job", frozen=True, kw_only=True):
    """Work for the worker; the frames that follow are the pixels of `planes`."""

    number: int
    user: str
    request: Render
    planes: list[Input]


class Stop(Message, tag="stop", frozen=True, kw_only=True):
    """Give up this job; too late is fine."""

    number: int


class Quit(Message, tag="quit", frozen=True, kw_only=True):
    """Leave: frees the device for real."""


class Ready(Message, tag="ready", frozen=True, kw_only=True):
    """The library is loaded and warm."""

    devices: list[str]
    models: list[Model]


class Vitals(Struct, frozen=True, kw_only=True):
    """What the server tells in `status`, and the planes it need not ask clients for."""

    held: dict[str, list[Digest]] = field(default_factory=dict)
    """User -> digests of the planes that are theirs."""
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
    notes: list[str]
    file_notes: list[str]
    people: list[Person]
    cached: list[Level]
    timing: dict[str, float]
    device: str
    vitals: Vitals


class Failed(Message, tag="failed", frozen=True, kw_only=True):
    """The job came to a typed end without a result."""

    number: int
    error: Error
    vitals: Vitals


class Missing(Message, tag="missing", frozen=True, kw_only=True):
    """These planes have left the cache meanwhile: send the job again with their pixels."""

    number: int
    planes: list[Input]
    vitals: Vitals


ToWorker: TypeAlias = Assignment | Stop | Quit
FromWorker: TypeAlias = Ready | Step | Done | Failed | Missing

to_worker = msgpack.Decoder(ToWorker)
from_worker = msgpack.Decoder(FromWorker)
