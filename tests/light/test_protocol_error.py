"""Whatever is answered: a result that is whole, or one of the documented errors."""

from __future__ import annotations

import random
import socket
import threading
from collections import Counter

import msgpack
import pytest
import zmq

from daemon.light import client as light_client
from daemon.light.client import Client
from daemon.light.discovery import Connection
from daemon.light.editor import Editor
from daemon.light.errors import DaemonLost, DaemonRefused, PluginError, ProtocolError
from daemon.light.facts import OUTPUTS
from daemon.light.planes import Plane
from daemon.light.preview_thread import PreviewThread
from daemon.light.request import LayerRequest
from daemon.light.status import State
from tests.fakes import mutants

PICTURE = Plane(mutants.WIDTH, mutants.HEIGHT, 3, "u8", "srgb", mutants.FRAMES[2])
REQUEST = LayerRequest(PICTURE, {"kind": "lens"})
WHERE = Connection("ipc:///work", "ipc:///control", "")


class Script:
    """A connection to a daemon that plays a conversation, in place of `zmtp.Dealer`."""

    dice: random.Random
    spoilt = ""
    part = ""

    def __init__(self, endpoint):
        self._answers = []

    def send(self, frames, sent=None):
        header = msgpack.unpackb(frames[0])
        if header["type"] == "hello":
            self._play([mutants.hello()], "hello")
        elif header["type"] == "status":
            self._play([mutants.state()], "status")
        elif header["type"] == "render":
            about = dice.choice([mutants.conversation, mutants.refusal])(header["id"])
            self._play(about, "render")

    def receive(self, timeout):
        if not self._answers:
            raise DaemonLost("it closed the connection")
        return self._answers.pop(0).packed()

    def close(self):
        pass

    def _play(self, answers, part):
        if part == Script.part:
            Script.spoilt = mutants.spoil(answers, dice)
        self._answers += answers


dice = random.Random(15)


@pytest.fixture
def script(monkeypatch):
    dice.seed(15)
    monkeypatch.setattr(light_client, "Dealer", Script)
    return Script


def whole(reply):
    shapes = {name: (plane.width, plane.height) for name, plane in reply.planes.items()}
    return shapes == dict.fromkeys(OUTPUTS, (mutants.WIDTH, mutants.HEIGHT))


def test_ten_thousand_spoilt_answers(script):
    outcomes = Counter()
    for _ in range(10_000):
        script.part = dice.choice(["hello", "status", "render", "render", "render"])
        try:
            client = Client(WHERE, "fuzz")
            if script.part == "status":
                State.of(client.status()).lines()
            else:
                assert whole(client.render(REQUEST)), script.spoilt
            outcomes["understood"] += 1
        except PluginError as error:
            outcomes[type(error).__name__] += 1
        except Exception as error:
            raise AssertionError(f"{error!r} after {script.spoilt}") from error
    print(outcomes)
    assert outcomes["ProtocolError"] > 4000
    assert outcomes["understood"] > 100  # what was spoilt does not matter to this client


def test_the_thread_of_previews_survives_every_one_of_them(script, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "daemon.light.preview_thread.connect", lambda *_: Client(WHERE, "fuzz"), raising=True
    )
    ended = threading.Semaphore(0)
    complaints = []

    def complain(text):
        complaints.append(text)
        ended.release()

    previews = PreviewThread(
        Editor("GIMP", tmp_path), lambda _: ended.release(), complain, lambda *_: None
    )
    for _ in range(300):
        script.part = dice.choice(["hello", "render"])
        previews.ask(REQUEST)
        assert ended.acquire(timeout=10)
    script.part = ""
    before = len(complaints)
    while len(complaints) == before:  # a refusal is part of the conversation too
        previews.ask(REQUEST)
        assert ended.acquire(timeout=10)
    assert complaints[-1] == "M. h"
    previews.close()
    assert sum("makes no sense" in text for text in complaints) > 50
    assert not any("The preview failed" in text for text in complaints)


def test_the_thread_of_previews_survives_a_fault_of_its_own(monkeypatch, tmp_path, capsys):
    told = []
    heard = threading.Semaphore(0)

    def complain(text):
        told.append(text)
        heard.release()
        raise RuntimeError("no window any more")

    monkeypatch.setattr("daemon.light.preview_thread.connect", lambda *_: 1 / 0)
    previews = PreviewThread(Editor("Krita", tmp_path), print, complain, lambda *_: None)
    for _ in range(2):
        previews.ask(REQUEST)
        assert heard.acquire(timeout=10)
    previews.close()
    assert len(told) == 2
    assert "ZeroDivisionError" in told[0]
    assert "Change a setting to try again; start Krita in a terminal" in told[0]
    assert "no window any more" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[b"\xa3abc"], [b""], [b"\x81\xa4type\xa5hello"], [b"\xc0"] * 9])
def test_a_foreign_router_is_no_daemon(tmp_path, words):
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.linger = 0
        router.bind(f"ipc://{tmp_path}/router")
        where = Connection(f"ipc://{tmp_path}/router", "", "")

        def answer():
            router.send_multipart([router.recv_multipart()[0], *words])

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ProtocolError, match="Try again"):
            Client(where, "test")
        thread.join()


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(64), b"", bytes(64)])
def test_what_speaks_no_zeromq_counts_as_gone(words):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            peer, _ = server.accept()
            with peer:
                peer.recv(64)
                peer.sendall(words)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(DaemonLost):
            Client(Connection(f"tcp://127.0.0.1:{server.getsockname()[1]}", "", ""), "test")
        thread.join()


def test_a_frame_that_is_impossible_is_refused_before_there_is_room_for_it(tmp_path):
    ready = b"\x05READY\x0bSocket-Type\0\0\0\x06ROUTER"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            peer, _ = server.accept()
            with peer:
                peer.recv(64)
                peer.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48))
                peer.recv(200)
                peer.sendall(bytes([4, len(ready)]) + ready)
                peer.sendall(b"\x02" + b"\x7f" + bytes(7))

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ProtocolError, match="a frame of"):
            Client(Connection(f"tcp://127.0.0.1:{server.getsockname()[1]}", "", ""), "test")
        thread.join()


def test_every_message_for_the_user_says_what_to_do():
    for error in (ProtocolError("x"), DaemonRefused("busy", "the queue is full", "Try again.")):
        assert isinstance(error, PluginError)
        assert "Try again" in str(error)
