"""Attacks of one user on another: photos, sessions, rights, the worker's place."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
import time
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import psutil
import zmq

from daemon.client.client import Client, DaemonError, RenderRequest
from daemon.wire import curve_auth, protocol
from tests.attacks.attack import Attack, expect
from tests.reliability.sandbox import Sandbox, sandbox, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

PHOTO = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)


@contextlib.contextmanager
def two_users() -> Iterator[tuple[Sandbox, curve_auth.Remote]]:
    """Start a daemon for its owner, and for another user with a key of his own."""
    keys = curve_auth.KeyPair(*(key.decode() for key in zmq.curve_keypair()))
    with sandbox() as place, mock.patch.dict(os.environ, place.environment()):
        address = _free_address()
        curve_auth.allow("other", keys.public)
        server_key = curve_auth.key_pair("daemon").public
        curve_auth.trust(address, server_key)
        known = curve_auth.remote(address)
        place.options = ("--listen", address)
        place.start()
        yield place, curve_auth.Remote(known.work, known.control, known.server_key, keys)


def _free_address() -> str:
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            with contextlib.suppress(OSError):
                second.bind(("127.0.0.1", port + 1))
                return f"127.0.0.1:{port}"


def photo_by_digest() -> str:
    """Ask for the photo of the owner, whose digest stands in his .xcf."""
    job = RenderRequest(PHOTO, want=["composite"])
    with two_users() as (place, far), place.client() as owner, Client(far) as other:
        owner.render(job)
        header, _ = job.message("theft")
        other._send("work", header)
        for message, _ in other._messages("work", "theft"):
            expect(not isinstance(message, protocol.Result), "the photo came")
            if isinstance(message, protocol.Need):
                break
        expect(other.render(job).cached == [], "it was told that somebody has the photo")
    return "asked for the pixels, like everybody who has not sent them"


def place_in_session() -> str:
    """Say hello under the name of the owner's session, and cancel his job."""
    job = RenderRequest(PHOTO, depth_model="slow@render")
    with two_users() as (place, far), place.client() as owner:
        with mock.patch.object(secrets, "token_hex", return_value=owner._session):
            thief = Client(far)
        with thief:
            header, pixels = job.message("job")
            owner._send("work", header)
            reply = thief._ask(protocol.Cancel(id="job"), protocol.CancelReply)
            expect(reply.outcome == "unknown", f"the owner's job was {reply.outcome}")
            expect(owner._conversation(header, pixels, None, None).planes, "no result")
    return "the same name of another user is another session; the owner got his result"


def stop_without_right() -> str:
    """Stop the daemon, and look at what others do, with a key to render."""
    with two_users() as (place, far), place.client() as owner, Client(far) as other:
        owner.render(RenderRequest(PHOTO))
        seen = other.status()
        expect(not seen.finished and not seen.cache and seen.sessions == 1, f"it saw {seen}")
        try:
            other.shutdown()
        except DaemonError as refused:
            expect(refused.code == "unauthorized", refused.code)
        else:
            expect(held=False, what="the daemon stopped")
        owner.ping()
    return "unauthorized; sees its own sessions and jobs only"


def workers_place() -> str:
    """Connect to the worker's socket before the worker does (tcp: Windows, --tcp)."""
    with sandbox() as place, zmq.Context() as context:
        place.options = ("--tcp", "--no-preload")
        place.start()
        daemon = psutil.Process(place.where.pid)
        known = _listening(daemon)
        with place.client() as owner, context.socket(zmq.PAIR) as stranger:
            stranger.linger = 0
            render = threading.Thread(target=owner.render, args=[RenderRequest(PHOTO)])
            render.start()
            wait_for(lambda: bool(_listening(daemon) - known), 10, "the worker's socket")
            (port,) = _listening(daemon) - known
            stranger.connect(f"tcp://127.0.0.1:{port}")
            began = time.monotonic()
            render.join(20)
            expect(not render.is_alive(), "the worker never started")
            expect(not stranger.poll(0), "the stranger got the photo")
            state = owner.status()
            expect(state.worker_restarts == 0, "the worker was replaced")
            expect(state.finished == {"result": 1}, f"{state.finished}")
    return f"not let in; the owner's result came after {time.monotonic() - began:.1f} s"


def _listening(daemon: psutil.Process) -> set[int]:
    found = daemon.net_connections("tcp")
    return {one.laddr.port for one in found if one.status == psutil.CONN_LISTEN}


ATTACKS = (
    Attack(
        "a client asks for another user's photo by its digest",
        "got the photo; `need` told what the daemon knows",
        photo_by_digest,
    ),
    Attack(
        "a client says hello under the name of another's session",
        "took its place, got its answers, cancelled its jobs",
        place_in_session,
    ),
    Attack(
        "a client with any key stops the daemon, reads the status of others",
        "stopped; all was told",
        stop_without_right,
    ),
    Attack(
        "a stranger is first at the worker's tcp socket",
        "got the place; the worker never started",
        workers_place,
    ),
)
