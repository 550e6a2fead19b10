"""The desk answers whatever comes, even when the rest of the daemon is broken."""

from __future__ import annotations

from types import SimpleNamespace

import msgpack
import pytest
import zmq

from daemon.codec import Refused
from daemon.desk import Desk
from daemon.jobs import Job, Line, Peer, Session
from daemon.planes import Plane
from daemon.protocol import Error, Render, Welcome
from daemon.settings import Settings


class Recorder:
    """A post office that keeps what it is given."""

    def __init__(self):
        self.sent = []

    def send(self, _, message, *frames):
        assert not frames
        self.sent.append(message)


class Broken:
    """A schedule in which everything fails."""

    known = None

    def __init__(self):
        self.cancelled = []

    def submit(self, *_):
        raise ZeroDivisionError("broken")

    def cancel_all(self, session, _):
        self.cancelled.append(session.name)


@pytest.fixture
def desk(tmp_path):
    post = Recorder()
    settings = Settings(directory=tmp_path, logs=tmp_path)
    schedule = Broken()
    made = Desk(settings, "token", schedule, SimpleNamespace(), post)
    peer = Peer("work", b"1")
    return SimpleNamespace(desk=made, sent=post.sent, peer=peer, cancelled=schedule.cancelled)


def frame(**header):
    return [zmq.Frame(msgpack.packb(header))]


def test_a_fault_inside_is_an_internal_error_with_the_id(desk):
    desk.desk.receive(desk.peer, frame(type="hello", protocol=[1, 1], token="token"))
    image = {"width": 2, "height": 2, "digest": "0" * 64}
    desk.desk.receive(desk.peer, frame(type="render", id="r", image=image))
    assert isinstance(desk.sent[0], Welcome)
    assert isinstance(desk.sent[1], Error)
    assert (desk.sent[1].id, desk.sent[1].code) == ("r", "internal")


def test_an_empty_message_is_refused(desk):
    desk.desk.receive(desk.peer, [])
    assert desk.sent[0].code == "bad_request"


def hello(session=None):
    return frame(type="hello", protocol=[1, 1], token="token", session=session)


def test_a_second_hello_leaves_the_earlier_session(desk):
    desk.desk.receive(desk.peer, hello("one"))
    desk.desk.receive(desk.peer, hello("one"))
    assert desk.cancelled == []
    desk.desk.receive(desk.peer, hello("two"))
    assert desk.cancelled == ["one"]
    desk.desk.receive(desk.peer, hello())
    desk.desk.receive(desk.peer, hello())
    assert len(desk.desk._sessions) == 1
    desk.desk.leave(desk.peer)
    assert desk.desk._sessions == {}


def job(session, number):
    image = Plane(width=1, height=1, digest="0" * 64)
    return Job(number, session, Render(id=str(number), image=image))


def test_the_line_gives_every_session_its_turn():
    line = Line()
    greedy, modest = Session("a", "greedy"), Session("b", "modest")
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
