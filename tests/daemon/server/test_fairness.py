"""Nobody holds the others up: not with many requests, nor with slow, endless or unread ones."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from daemon.client.client import DaemonError, RenderRequest
from daemon.server.jobs import LOCAL, Job, Session, User
from daemon.server.queue import KEPT_PLACES, FairQueue
from daemon.wire.capabilities import Limits
from daemon.wire.planes import Image
from daemon.wire.protocol import Render
from daemon.wire.refusal import Refused
from tests.reliability.raw import Raw, request
from tests.reliability.sandbox import wait_for

OTHER = User("other")


def job(session, number=0):
    return Job(
        number,
        session,
        Render(id="r", image=Image(width=16, height=16, transfer="srgb", digest="0" * 64)),
    )


def test_seventeen_sessions_of_one_user_count_as_one():
    line = FairQueue()
    greedy = [job(Session(LOCAL, str(number)), number) for number in range(17)]
    modest = [job(Session(OTHER, "modest"), 100 + number) for number in range(3)]
    for one in (*greedy, *modest):
        line.add(one)
    assert [one.number for one in line][:7] == [0, 100, 1, 101, 2, 102, 3]
    for _ in range(6):  # also when they are taken one by one
        line.take(next(iter(line)))
    assert not any(one in line for one in modest)
    assert len(line) == 14


def test_who_has_nothing_in_the_queue_finds_a_place():
    limits = Limits(max_queue=20, max_queue_per_session=8)
    line = FairQueue()
    greedy = Session(LOCAL, "greedy")
    for _ in range(20 - KEPT_PLACES):
        line.check_place(greedy, limits)
        line.add(job(greedy))
    with pytest.raises(Refused, match="4 requests are waiting"):
        line.check_place(greedy, limits)
    for number in range(KEPT_PLACES):
        session = Session(LOCAL, f"leak {number}")
        line.check_place(session, limits)
        line.add(job(session))
    with pytest.raises(Refused, match="20 requests are waiting"):
        line.check_place(Session(LOCAL, "one more"), limits)
    line.check_place(Session(OTHER, "somebody else"), limits)


def test_requests_whose_pixels_never_come_hold_no_slot(running, picture):
    with Raw(running.where) as one, Raw(running.where) as two, running.client() as client:
        for number, silent in enumerate((one, two)):
            silent.hello()
            for name in range(4):
                pixels = bytes([number, name] * 384)
                silent.send(request(f"s{name}", pixels, 16, 16))
                silent.wait("accepted")
        wait_for(lambda: client.status().worker == "idle", 20, "the worker")
        began = time.monotonic()
        assert client.render(RenderRequest(picture)).planes
        assert time.monotonic() - began < Limits().pixels_s / 2


@pytest.fixture
def impatient(place):
    place.options = ("--turn", "0.1")
    place.start()
    return place


LONG = np.zeros((16, 16, 3), np.uint8)


def start_long(client, outcome):
    def run():
        try:
            outcome.append(client.render(RenderRequest(LONG, depth_model="slow@render")))
        except DaemonError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_long_job_lets_others_pass_and_is_done_afterwards(impatient, picture):
    outcome = []
    with impatient.client() as slow, impatient.client() as quick:
        quick.render(RenderRequest(picture))  # the worker is up
        thread = start_long(slow, outcome)
        wait_for(lambda: quick.status().running is not None, 5, "the long job")
        quick.render(RenderRequest(picture + 1))
        assert not outcome
        thread.join(20)
        np.testing.assert_array_equal(outcome[0].planes["composite"], np.invert(LONG))
        assert quick.status().worker_restarts == 0


def test_a_job_that_is_never_done_in_its_turns_is_refused(impatient, picture):
    outcome = []
    with impatient.client() as slow, impatient.client() as quick:
        quick.render(RenderRequest(picture))
        thread = start_long(slow, outcome)
        wait_for(lambda: quick.status().running is not None, 5, "the long job")
        number = 0
        while not outcome and number < 200:
            number += 1
            quick.render(RenderRequest(picture + number))
        thread.join(20)
    assert outcome[0].code == "deadline"
    assert "others wait" in str(outcome[0])
    assert outcome[0].retryable


def test_alone_a_job_takes_as_long_as_it_takes(impatient):
    with impatient.client() as client:
        assert client.render(RenderRequest(LONG, depth_model="slow@render")).planes
