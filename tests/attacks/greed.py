"""Attacks of clients that are let in, and want more than their share."""

from __future__ import annotations

import contextlib
import threading
import time

import numpy as np
import psutil
import zmq

from daemon.client.client import RenderRequest
from tests.attacks.attack import Attack, expect
from tests.reliability.raw import Raw, request
from tests.reliability.sandbox import sandbox, wait_for

MIB = 1 << 20
SIDE = 1024


def reads_nothing() -> str:
    """Ask for a result again and again, and read none."""
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    with sandbox() as place:
        place.start()
        front = psutil.Process(place.where.pid)
        with place.client() as owner, Raw(place.where) as deaf:
            deaf.hello()
            deaf.socket.setsockopt(zmq.RCVHWM, 1)
            deaf.socket.sndtimeo = 500
            owner.render(RenderRequest(pixels))
            before = most = front.memory_info().rss
            until, asked = time.monotonic() + 6, 0
            with contextlib.suppress(TimeoutError):
                while time.monotonic() < until:
                    deaf.send(request(f"d{asked}", pixels.tobytes(), SIDE, SIDE))
                    asked += 1
                    most = max(most, front.memory_info().rss)
                    time.sleep(0.002)
            owner.ping()
    grown = (most - before) / MIB
    expect(grown < 256, f"memory grew by {grown:.0f} MiB after {asked} requests")
    return f"{asked} requests in 6 s; memory grew by {grown:.0f} MiB"


def sends_nothing() -> str:
    """Fill the queue with requests whose pixels never come."""
    image = np.zeros((16, 16, 3), np.uint8)
    with sandbox() as place, contextlib.ExitStack() as stack:
        place.start()
        owner = stack.enter_context(place.client())
        owner.render(RenderRequest(image))
        for number in range(17):
            silent = stack.enter_context(Raw(place.where))
            silent.hello()
            for name in range(8):
                silent.send(request(f"s{name}", bytes([number, name] * 384), 16, 16))
        wait_for(lambda: owner.status().queued > 100, 5, "the requests")
        began = time.monotonic()
        owner.render(RenderRequest(image + 1))
        return f"the owner's render took {time.monotonic() - began:.1f} s"


def never_ends() -> str:
    """Ask for a computation that takes the worker longer than anybody waits."""
    image = np.zeros((16, 16, 3), np.uint8)
    with sandbox() as place:
        place.options = ("--turn", "0.3")
        place.start()
        with place.client() as owner, Raw(place.where) as hog:
            hog.hello()
            owner.render(RenderRequest(image))
            for name in range(4):
                hog.send(request(f"h{name}", image.tobytes(), 16, 16, depth_model="deaf@render"))
            wait_for(lambda: owner.status().running is not None, 5, "the job")
            timer = threading.Timer(30, place.stop)  # it would be for ever
            timer.start()
            began = time.monotonic()
            owner.render(RenderRequest(image + 1))
            seconds = time.monotonic() - began
            timer.cancel()
    return f"stopped after its turn (here 0.3 s, else 20): the owner's render took {seconds:.1f} s"


ATTACKS = (
    Attack(
        "a client sends 300-byte requests and reads nothing",
        "3 GB in 11 s",
        reads_nothing,
    ),
    Attack(
        "136 requests of 17 sessions whose pixels never come",
        "the idle worker waited 30 s for each two of them",
        sends_nothing,
    ),
    Attack(
        "a request that computes for ever (worst that is allowed: over 120 s)",
        "everybody waited",
        never_ends,
    ),
)
