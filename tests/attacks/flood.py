"""Attacks on the daemon's descriptors and memory by connections that never say hello."""

from __future__ import annotations

import contextlib
import functools
import socket
import time

import psutil

from tests.attacks.attack import Attack, expect
from tests.reliability.sandbox import Sandbox, sandbox

MIB = 1 << 20
USUAL_LIMIT = 1024
SILENT = 1100
HANDSHAKE = (
    b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48)  # greeting
    + b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
)  # fmt: skip


def silent_connections(*, tcp: bool, hard: bool) -> str:
    """Open more connections than the daemon may have open files, and say nothing."""
    with sandbox() as place:
        place.options = ("--tcp",) if tcp else ()
        limit = f"ulimit {'' if hard else '-S'} -n {USUAL_LIMIT}"
        place.prefix = ("sh", "-c", f'{limit} && exec "$@"', "sh")
        place.start()
        most, worst = _hold_silent(place)
        expect(place.process is not None and place.process.poll() is None, "the daemon died")
        deadline = time.monotonic() + 10
        while (left := psutil.Process(place.where.pid).num_fds()) > 100:
            expect(time.monotonic() < deadline, f"{left} descriptors are still open")
            time.sleep(0.1)
    return f"at most {most} open at once, all closed; the owner's status took {worst:.1f} s at most"


def _hold_silent(place: Sandbox) -> tuple[int, float]:
    """Return the most descriptors that were open, and the longest that the owner had to wait."""
    most, worst = 0, 0.0
    with contextlib.ExitStack() as held:
        for number in range(SILENT):
            held.enter_context(_connected(place.where.work))
            if number % 100 == 99:
                most = max(most, psutil.Process(place.where.pid).num_fds())
                began = time.monotonic()
                with place.client() as client:
                    client.status()
                worst = max(worst, time.monotonic() - began)
    return most, worst


def endless_message() -> str:
    """Send one message that never ends, without a hello."""
    with sandbox() as place:
        place.options = ("--tcp",)
        place.start()
        front = psutil.Process(place.where.pid)
        before = most = front.memory_info().rss
        frames = (b"\x03" + (65_000).to_bytes(8, "big") + bytes(65_000)) * 8
        sent = 0
        with _connected(place.where.work) as line, contextlib.suppress(OSError):
            line.sendall(HANDSHAKE)
            until = time.monotonic() + 5
            while time.monotonic() < until and sent < 2048 * MIB:
                line.sendall(frames)
                sent += len(frames)
                most = max(most, front.memory_info().rss)
        grown = (most - before) / MIB
        expect(grown < 128, f"memory grew by {grown:.0f} MiB")
        with place.client() as client:
            client.ping()
    return f"closed after {sent / MIB:.0f} MiB; memory grew by {grown:.0f} MiB"


def _connected(endpoint: str) -> socket.socket:
    if endpoint.startswith("ipc://"):
        line = socket.socket(socket.AF_UNIX)
        line.connect(endpoint.removeprefix("ipc://"))
        return line
    return socket.create_connection(("127.0.0.1", int(endpoint.rpartition(":")[2])))


ATTACKS = (
    Attack(
        "a stranger opens 1,100 silent tcp connections (--tcp)",
        "SIGABRT of the ZeroMQ library: the daemon and its jobs are gone",
        functools.partial(silent_connections, tcp=True, hard=False),
    ),
    Attack(
        "a program of one's own leaks 1,100 connections (ipc)",
        "SIGABRT of the ZeroMQ library",
        functools.partial(silent_connections, tcp=False, hard=False),
    ),
    Attack(
        "the same where the limit of 1,024 open files cannot be raised",
        "SIGABRT of the ZeroMQ library",
        functools.partial(silent_connections, tcp=False, hard=True),
    ),
    Attack(
        "a stranger sends one message that never ends (--tcp)",
        "1.5 GB in 1.7 s, until the machine is out of memory",
        endless_message,
    ),
)
