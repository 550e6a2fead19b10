"""Every message is answered, even when the rest of the daemon is broken."""

from __future__ import annotations

from types import SimpleNamespace

import msgpack
import pytest
import zmq

from daemon.server.handlers import Handlers
from daemon.server.jobs import LOCAL, Job, Peer, Session
from daemon.server.queue import FairQueue
from daemon.server.settings import Settings
from daemon.wire.planes import Image
from daemon.wire.protocol import Error, Render, Welcome
from daemon.wire.refusal import Refused


class Recorder:
    """A transport that keeps what it is given."""

    def __init__(self):
        self.sent = []

    def send(self, _, message, *frames):
        assert not frames
        self.sent.append(message)


class Broken:
    """A scheduler in which everything fails."""

    known = None

    def __init__(self):
        self.cancelled = []

    def submit(self, *_):
        raise ZeroDivisionError("broken")

    def cancel_all(self, session, _):
        self.cancelled.append(session.name)


class OpenDoor:
    """A doorkeeper who lets everybody in."""

    def admit(self, *_):
        pass

    def forget(self, _):
        pass


class OpenGate:
    """A gate to which all are local."""

    def user_of(self, _):
        return LOCAL


@pytest.fixture
def talk(tmp_path):
    transport = Recorder()
    settings = Settings(directory=tmp_path, logs=tmp_path)
    scheduler = Broken()
    made = Handlers(
        settings, "token", scheduler, SimpleNamespace(), transport, OpenDoor(), OpenGate()
    )
    peer = Peer("work", b"1")
    return SimpleNamespace(
        handlers=made, sent=transport.sent, peer=peer, cancelled=scheduler.cancelled
    )


def frame(**header):
    return [zmq.Frame(msgpack.packb(header))]


def test_a_fault_inside_is_an_internal_error_with_the_id(talk):
    talk.handlers.receive(talk.peer, frame(type="hello", protocol=[1, 1], token="token"))
    image = {"width": 16, "height": 16, "transfer": "srgb", "digest": "0" * 64}
    talk.handlers.receive(talk.peer, frame(type="render", id="r", image=image))
    assert isinstance(talk.sent[0], Welcome)
    assert isinstance(talk.sent[1], Error)
    assert (talk.sent[1].id, talk.sent[1].code) == ("r", "internal")


def test_an_empty_message_is_refused(talk):
    talk.handlers.receive(talk.peer, [])
    assert talk.sent[0].code == "bad_request"


def hello(session=None):
    return frame(type="hello", protocol=[1, 1], token="token", session=session)


def test_a_second_hello_leaves_the_earlier_session(talk):
    talk.handlers.receive(talk.peer, hello("one"))
    talk.handlers.receive(talk.peer, hello("one"))
    assert talk.cancelled == []
    talk.handlers.receive(talk.peer, hello("two"))
    assert talk.cancelled == ["one"]
    talk.handlers.receive(talk.peer, hello())
    talk.handlers.receive(talk.peer, hello())
    assert len(talk.handlers._sessions) == 1
    talk.handlers.leave(talk.peer)
    assert talk.handlers._sessions == {}


def job(session, number):
    image = Image(width=16, height=16, transfer="srgb", digest="0" * 64)
    return Job(number, session, Render(id=str(number), image=image))


def test_the_line_gives_every_session_its_turn():
    line = FairQueue()
    greedy, modest = Session(LOCAL, "greedy"), Session(LOCAL, "modest")
    jobs = [job(greedy, 1), job(greedy, 2), job(greedy, 3), job(modest, 4)]
    for one in jobs:
        line.add(one)
    assert [one.number for one in line] == [1, 4, 2, 3]
    assert line.position(jobs[3]) == 1
    line.take(jobs[0])
    assert [one.number for one in line] == [4, 2, 3]
    line.put_back(jobs[0])
    assert next(iter(line)) is jobs[0]
    for one in jobs:
        line.remove(one)
    assert len(line) == 0


def test_a_refusal_is_one_line_and_bounded():
    refusal = Refused("busy", "two\nlines " + "x" * 5000)
    assert "\n" not in refusal.message
    assert len(refusal.message) == 2000
    assert refusal.reply().retryable
