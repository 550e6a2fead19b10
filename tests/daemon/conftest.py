"""Real daemons in private folders; every test must leave no process, thread or descriptor."""

from __future__ import annotations

import gc
import os
import socket
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import zmq

from daemon.cli import backend
from tests.reliability.sandbox import Sandbox, sandbox


def _descriptors():
    """Open descriptors by what they are, without the names of anonymous ones."""
    folder = Path("/proc/self/fd")
    if not folder.exists():
        return 0
    return len(list(folder.iterdir()))


def _state():
    gc.collect()
    children = {p.pid for p in psutil.Process().children() if p.status() != "zombie"}
    return _descriptors(), threading.active_count(), children


@pytest.fixture(autouse=True, scope="session")
def pyzmq_keeps_a_thread():
    """Make pyzmq start what it starts at the first large frame, and keeps for the process."""
    context = zmq.Context()
    with context.socket(zmq.PAIR) as there, context.socket(zmq.PAIR) as here:
        there.bind("inproc://large")
        here.connect("inproc://large")
        here.send(bytes(1 << 20), copy=False)
        there.recv()
    context.term()


@pytest.fixture(autouse=True)
def nothing_left(request):
    """Fail a test that leaks descriptors, threads or processes."""
    if request.path.parent.name == "cli":
        yield  # training and plotting libraries open files of their own once, and keep them
        return
    fds, threads, children = _state()
    yield
    for _ in range(100):  # threads of a closed context and killed processes need a moment
        after_fds, after_threads, after_children = _state()
        if after_fds <= fds and after_threads <= threads and after_children <= children:
            return
        time.sleep(0.02)
    assert (after_fds, after_threads, after_children - children) == (fds, threads, set())


@pytest.fixture
def place():
    """A sandbox without a daemon."""
    with sandbox() as made:
        yield made


@pytest.fixture
def running(place: Sandbox):
    """A sandbox with a running daemon on the misbehaving engine."""
    place.start()
    return place


@pytest.fixture
def picture():
    """A small RGB u8 picture."""
    return np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8)


@pytest.fixture
def in_sandbox(place, monkeypatch):
    """Make this process live in the sandbox as well (default directories)."""
    for name, value in place.environment().items():
        if os.environ.get(name) != value and name.startswith("DEFOCUS_"):
            monkeypatch.setenv(name, value)
    return place


@pytest.fixture
def work_here(monkeypatch):
    """Work that moves into this process is not done."""

    class Here:
        def make(self, job, progress):
            return "made here"

    monkeypatch.setattr(backend, "Here", Here)


@pytest.fixture
def address():
    """Where a daemon may listen for remote clients: two free ports in a row."""
    for _ in range(50):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return f"127.0.0.1:{port}"
    pytest.skip("no two free ports in a row")


@pytest.fixture(scope="module")
def module_daemon():
    """One daemon for all tests of a module that leave it as it was."""
    with sandbox() as made:
        made.start()
        with made.client() as client:
            client.ping()
        yield made
