"""Bad input, bad clients, raw bytes: a typed answer or a drop, and everyone else lives on."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import msgpack
import psutil
import pytest
import zmq

from daemon.wire import capabilities, curve_auth
from tests.reliability.raw import Raw, request
from tests.reliability.sandbox import sandbox
from tests.reliability.wire_rows import bombs

MIB = 1 << 20
PIXELS = bytes(768)


@pytest.fixture
def raw(module_daemon):
    with Raw(module_daemon.where) as made:
        made.hello()
        yield made
        assert made.ask({"type": "ping", "nonce": 5}) == {"type": "pong", "nonce": 5, "asked": True}


@pytest.mark.parametrize("name", bombs())
def test_a_bomb_is_refused_fast_and_takes_no_memory(module_daemon, raw, name):
    front = psutil.Process(module_daemon.where.pid)
    before = front.memory_info().rss
    began = time.monotonic()
    answer = raw.ask(bombs()[name])
    assert time.monotonic() - began < 0.5  # 0.05 s on an idle machine
    assert answer["type"] == "error"
    assert answer["code"] in {"bad_request", "too_large"}
    assert answer["message"]
    assert answer["hint"]
    assert front.memory_info().rss - before < 16 * MIB


def test_many_small_frames_are_refused(raw):
    answer = raw.ask(msgpack.packb({"type": "ping"}), [b"x"] * 5000)
    assert (answer["type"], answer["code"]) == ("error", "too_large")


def test_a_frame_over_the_limit_drops_the_connection_before_memory_is_taken(module_daemon):
    front = psutil.Process(module_daemon.where.pid)
    before = front.memory_info().rss
    path = module_daemon.where.work.removeprefix("ipc://")
    with socket.socket(socket.AF_UNIX) as plain:
        plain.connect(path)
        plain.settimeout(5)
        handshake(plain)
        plain.sendall(b"\x02" + (1 << 60).to_bytes(8, "big"))  # a long frame of 2^60 bytes
        received = b"-"
        while received:  # until the daemon hangs up (heartbeats may come first)
            received = plain.recv(1000)
    assert front.memory_info().rss - before < 16 * MIB


def handshake(plain, **claims):
    """Do the ZMTP 3.0 NULL handshake of a DEALER that claims further properties."""
    plain.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + b"\x00" + bytes(31))
    ready = b"\x05READY"
    for name, value in {"Socket-Type": b"DEALER", **claims}.items():
        ready += bytes([len(name)]) + name.encode() + len(value).to_bytes(4, "big") + value
    plain.sendall(b"\x04" + bytes([len(ready)]) + ready)
    received = b""
    while b"READY" not in received:  # who goes on earlier is dropped for that
        received += (more := plain.recv(1000))
        assert more, received


CLAIMS = [b"studio", b"x:studio", b":studio", b"\xff:studio", "é:studio".encode()]


def hello_as(where, claim):
    """Say hello with a wrong token and a `User-Id` of one's own; give the bytes that come back."""
    header = msgpack.packb({"type": "hello", "protocol": [1, 1], "token": "wrong"})
    with socket.socket(socket.AF_UNIX) as plain:
        plain.connect(where.work.removeprefix("ipc://"))
        plain.settimeout(5)
        handshake(plain, **{"User-Id": claim})
        plain.sendall(bytes([0, len(header)]) + header)
        received = b"-"
        while not any(word in received for word in (b"error", b"welcome")):
            received += (more := plain.recv(1000))
            assert more, received
    return received


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_name_claimed_in_the_handshake_does_not_replace_the_token(module_daemon, claim):
    assert b"wrong token" in hello_as(module_daemon.where, claim)


def test_nor_does_it_where_the_names_of_remote_clients_are_known(in_sandbox, address):
    curve_auth.allow("studio", curve_auth.key_pair("client").public)
    in_sandbox.options = ("--listen", address)
    in_sandbox.start()
    for claim in CLAIMS:
        assert b"wrong token" in hello_as(in_sandbox.where, claim)


def test_without_hello_nothing_is_answered_but_unauthorized(module_daemon):
    with Raw(module_daemon.where) as raw:
        for message in (request("a", PIXELS, 16, 16), {"type": "ping"}, {"type": "shutdown"}):
            assert raw.ask(message)["code"] == "unauthorized"


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_a_wrong_token_is_refused(module_daemon, token):
    with Raw(module_daemon.where) as raw:
        assert raw.hello(token=token)["code"] == "unauthorized"
        assert raw.ask({"type": "ping"})["code"] == "unauthorized"


def test_another_protocol_is_refused_with_both_ranges(module_daemon):
    with Raw(module_daemon.where) as raw:
        answer = raw.hello(protocol=[2, 9])
    assert answer["code"] == "unsupported_version"
    assert "2 to 9" in answer["message"]
    assert "1 to 1" in answer["message"]


def test_pixels_must_be_what_was_declared(raw):
    for planes, frames, words in (
        (["image"], [PIXELS[:-1]], "767 bytes"),
        (["depth"], [PIXELS], "no depth"),
        (["image"], [], "0 frames"),
        (["image", "image"], [PIXELS], "twice"),
        (["image", "image"], [PIXELS, PIXELS], "twice"),
        (["image"], [b"x" * 768], "digest"),
        (["photo"], [PIXELS], "planes[0]"),
    ):
        raw.send(request("a", PIXELS, 16, 16))
        raw.wait("need")
        raw.send({"type": "pixels", "id": "a", "planes": planes}, frames)
        error = raw.wait("error", "result")
        assert (error["code"], error["id"], error["to"]) == ("bad_request", "a", "render")
        assert words in error["message"]
        assert error["field"]


def test_pixels_that_nobody_asked_for_are_answered_and_end_nothing(raw):
    own = bytes([7]) * 768
    pixels = {"type": "pixels", "id": "a", "planes": ["image"]}
    raw.send(pixels, [own])
    error = raw.wait("error")
    assert (error["id"], error["to"], error["field"]) == ("a", "pixels", "id"), "no such request"
    raw.send(request("a", own, 16, 16, depth_model="slow@render"))
    raw.wait("need")
    raw.send(pixels, [own])
    raw.send(pixels, [own])
    error = raw.wait("error", "result")
    assert (error["id"], error["to"], error["value"]) == (None, "pixels", "a"), "it goes on"
    assert raw.wait("error", "result")["type"] == "result"


def test_an_id_in_use_is_refused_for_another_request(raw):
    raw.send(request("a", PIXELS, 16, 16, depth_model="slow@render"))
    raw.wait("need")
    for wrong in ({"preview": 2}, {"preview": -2}):
        raw.send(request("a", PIXELS, 16, 16, **wrong))
        error = raw.wait("error")
        assert (error["id"], error["to"]) == (None, "render"), "the first is not over"
    assert raw.ask(request("a", PIXELS, 16, 16, preview=2))["value"] == "a"
    raw.send({"type": "cancel", "id": "a"})
    assert raw.wait("error")["code"] == "cancelled"
    raw.wait("cancel_reply")


def test_the_queue_is_bounded_per_session(raw):
    names = [f"q{number}" for number in range(capabilities.Limits().max_queue_per_session + 1)]
    for name in names:
        raw.send(request(name, PIXELS, 16, 16))
    refused = raw.wait("error")
    assert (refused["id"], refused["code"], refused["retryable"]) == (names[-1], "busy", True)
    for name in names[:-1]:
        raw.send({"type": "cancel", "id": name})
    ends = [raw.wait("error")["id"] for _ in names[:-1]]
    assert sorted(ends) == names[:-1]
    while raw.socket.poll(100):
        raw.receive()


def test_render_and_pixels_do_not_belong_on_the_control_socket(module_daemon):
    with Raw(module_daemon.where, "control") as raw:
        raw.hello()
        assert "work socket" in raw.ask(request("a", PIXELS, 16, 16))["message"]
        pixels = {"type": "pixels", "id": "a", "planes": ["image"]}
        assert "work socket" in raw.ask(pixels, [PIXELS])["message"]


def test_garbage_at_the_socket_changes_nothing(module_daemon):
    path = module_daemon.where.work.removeprefix("ipc://")
    front = psutil.Process(module_daemon.where.pid)
    before = front.num_fds()
    for number in range(100):
        with socket.socket(socket.AF_UNIX) as plain:
            plain.connect(path)
            plain.sendall(bytes([number]) * (number % 90))
    deadline = time.monotonic() + 5
    while front.num_fds() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert front.num_fds() <= before


def test_sessions_of_clients_that_left_are_forgotten():
    with sandbox() as place:
        place.start()
        for _ in range(20):
            place.client().close()
        with place.client() as client:
            deadline = time.monotonic() + 15
            while client.status().sessions > 1 and time.monotonic() < deadline:
                time.sleep(0.2)
            assert client.status().sessions == 1


def test_a_flood_of_frames_does_not_hold_up_the_others(module_daemon):
    with Raw(module_daemon.where) as raw, module_daemon.client() as client:
        raw.hello()
        raw.send(msgpack.packb({"type": "ping"}), [b"x"] * 50_000)
        assert raw.wait("error")["code"] == "too_large"
        client.ping()  # while the rest of the frames is thrown away
        answer = raw.ask({"type": "ping", "nonce": 9})
        # the surplus was not taken for messages
        assert answer == {"type": "pong", "nonce": 9, "asked": True}


def test_a_client_that_reads_late_still_gets_every_answer(raw):
    for nonce in range(1, 400):
        raw.send({"type": "ping", "nonce": nonce})
    time.sleep(0.2)  # far more answers than the pipe holds
    found = [answer for _ in range(1, 400) if (answer := raw.receive()[0])["nonce"]]
    while len(found) < 399:
        found += [answer for answer in [raw.receive()[0]] if answer["nonce"]]
    assert [answer["nonce"] for answer in found] == list(range(1, 400))


def test_a_client_that_never_reads_is_dropped(module_daemon):
    front = psutil.Process(module_daemon.where.pid)
    before = front.memory_info().rss
    with Raw(module_daemon.where) as deaf, module_daemon.client() as client:
        deaf.hello()
        deaf.socket.setsockopt(zmq.RCVHWM, 1)
        deaf.socket.sndtimeo = 500
        with suppress(TimeoutError):  # once dropped, it has nobody to send to
            for _ in range(20_000):
                deaf.send(b"\x01")
        client.ping()
    assert front.memory_info().rss - before < 16 * MIB


def test_what_was_misspelt_is_listed_and_refused_on_request(module_daemon):
    odd = request(
        "odd", bytes([9]) * 768, 16, 16, subjects="all", lens={"kind": "lens", "blade": 6}
    )
    with Raw(module_daemon.where) as raw:
        assert raw.hello(sesion="x", capabilities=["strickt"])["ignored"] == ["sesion", "strickt"]
        assert raw.ask(odd)["ignored"] == ["subjects", "lens.blade"]
        raw.send({"type": "cancel", "id": "odd"})
        raw.wait("cancel_reply")
    with Raw(module_daemon.where) as raw:
        error = raw.hello(sesion="x", capabilities=["strict"])
        assert (error["code"], error["field"], error["to"]) == ("bad_request", "sesion", "hello")
        assert raw.hello(capabilities=["strict"])["ignored"] == []
        error = raw.ask(odd)
        assert (error["id"], error["field"]) == ("odd", "subjects")
        assert error["hint"] == "Did you mean `subject`?"
        assert raw.ask({"type": "ping", "nonse": 3})["field"] == "nonse"
        assert raw.ask({"type": "ping", "nonce": 3})["nonce"] == 3
