"""Whatever is answered: a result that is whole, or one of the documented errors."""

from __future__ import annotations

import random
import threading
from collections import Counter
from types import SimpleNamespace

import msgpack
import numpy as np
import pytest
import zmq

from daemon.client.client import Client, ConnectionLost, DaemonError, ProtocolError, RenderRequest
from tests.fakes import mutants

REQUEST = RenderRequest(np.zeros((mutants.HEIGHT, mutants.WIDTH, 3), np.uint8))
WHERE = SimpleNamespace(work="ipc:///work", control="ipc:///control", token="", alive=False)


class Script:
    """Context and sockets of a daemon that plays a conversation, in place of ZeroMQ's."""

    def __init__(self, dice):
        self.dice = dice
        self.part = self.spoilt = ""

    def __call__(self):
        return self

    def socket(self, kind):
        return ScriptSocket(self)

    def term(self):
        pass


class ScriptSocket:
    linger = -1

    def __init__(self, script):
        self._script = script
        self._answers = []

    def setsockopt(self, option, value):
        pass

    def connect(self, endpoint):
        pass

    def close(self):
        pass

    def poll(self, timeout):
        return bool(self._answers)

    def recv_multipart(self, copy=True):
        return [zmq.Frame(frame) for frame in self._answers.pop(0).packed()]

    def send_multipart(self, frames, flags=0, copy=True):
        header = msgpack.unpackb(frames[0])
        if header["type"] == "hello":
            self._play([mutants.hello()], "hello")
        elif header["type"] == "status":
            self._play([mutants.state()], "status")
        elif header["type"] == "render":
            kind = self._script.dice.choice([mutants.conversation, mutants.refusal])
            self._play(kind(header["id"]), "render")

    def _play(self, answers, part):
        if part == self._script.part:
            self._script.spoilt = mutants.spoil(answers, self._script.dice)
        self._answers += answers


def test_ten_thousand_spoilt_answers(monkeypatch):
    script = Script(random.Random(15))
    monkeypatch.setattr(zmq, "Context", script)
    outcomes = Counter()
    for _ in range(10_000):
        script.part = script.dice.choice(["hello", "status", "render", "render", "render"])
        try:
            with Client(WHERE) as client:
                if script.part == "status":
                    client.status()
                else:
                    made = client.render(REQUEST)
                    shapes = {name: plane.shape[:2] for name, plane in made.planes.items()}
                    size = mutants.HEIGHT, mutants.WIDTH
                    assert shapes == dict.fromkeys(("matte", "depth", "composite"), size)
            outcomes["understood"] += 1
        except (ConnectionLost, DaemonError) as error:
            outcomes[type(error).__name__] += 1
        except Exception as error:
            raise AssertionError(f"{error!r} after {script.spoilt}") from error
    assert outcomes["ProtocolError"] > 4000, outcomes
    assert outcomes["understood"] > 100, outcomes


@pytest.mark.parametrize("words", [[b"\xa3abc"], [b""], [b"\x81\xa4type\xa5hello"], [b"\xc0", b""]])
def test_a_foreign_router_is_no_daemon(tmp_path, words):
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.linger = 0
        router.bind(f"ipc://{tmp_path}/router")
        where = SimpleNamespace(work=f"ipc://{tmp_path}/router", control="", token="", alive=True)

        def answer():
            router.send_multipart([router.recv_multipart()[0], *words])

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ProtocolError, match="makes no sense"):
            Client(where)
        thread.join()
