"""Requests that a daemon loses are counted, and not waited for."""

from __future__ import annotations

import time

import pytest

from tests.benchmarks import transport
from tests.reliability.raw import Raw
from tests.reliability.sandbox import sandbox


@pytest.fixture
def running():
    with sandbox() as made:
        made.start()
        yield made


def test_a_lost_request_is_counted_although_the_daemon_goes_on_talking(running, monkeypatch):
    ping = {"type": "ping", "nonce": 0}
    ask = transport._ask

    class Chatty(Raw):
        """One to whom the daemon says something all the time."""

        def receive(self, timeout_s=5.0):
            message = super().receive(timeout_s)
            if message[0]["type"] == "pong":
                self.send(ping)
            return message

    def lose_the_second(raw, name, pixels):
        if name != "1":
            return ask(raw, name, pixels)
        raw.send(ping)
        return time.perf_counter()

    monkeypatch.setattr(transport, "Raw", Chatty)
    monkeypatch.setattr(transport, "_ask", lose_the_second)
    monkeypatch.setattr(transport, "PATIENCE_S", 1.0)
    assert transport.latency(running, clients=2, requests=4).lost == 1
