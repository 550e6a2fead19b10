"""Cancel at every moment: always a reply, and the daemon is free again at once."""

from __future__ import annotations

import threading
import time

import pytest

from daemon.client.client import DaemonError, RenderRequest
from tests.reliability.raw import Raw, request
from tests.reliability.sandbox import sandbox, wait_for

PIXELS = bytes(range(48)) * 16


def job(name, **changes):
    return request(name, PIXELS, 16, 16, **changes)


def submit(raw, name, **changes):
    """Send a request and its pixels, if they are asked for; returns once it runs or waits."""
    raw.send(job(name, **changes))
    answer = raw.wait("accepted")
    return answer["queue_position"]


def feed(raw, name):
    raw.wait("need")
    raw.send({"type": "pixels", "id": name, "planes": ["image"]}, [PIXELS])


@pytest.fixture
def raw(module_daemon):
    with Raw(module_daemon.where) as made:
        assert made.hello()["type"] == "welcome"
        with module_daemon.client() as client:  # the worker is up and holds the pixels
            import numpy as np

            client.render(RenderRequest(np.frombuffer(PIXELS, np.uint8).reshape(16, 16, 3)))
        yield made


def test_a_running_job_stops_within_200_ms(raw):
    submit(raw, "a", depth_model="slow@render")
    raw.wait("progress")
    began = time.monotonic()
    raw.send({"type": "cancel", "id": "a"})
    assert raw.wait("cancel_reply")["outcome"] == "stopping"
    error = raw.wait("error")
    assert time.monotonic() - began < 0.5  # 0.2 s on an idle machine
    assert (error["id"], error["code"], error["retryable"]) == ("a", "cancelled", True)


def test_a_waiting_job_is_gone_at_once(raw):
    submit(raw, "a", depth_model="slow@render")
    assert submit(raw, "b") >= 1
    raw.send({"type": "cancel", "id": "b"})
    first = raw.wait("error", "cancel_reply")
    second = raw.wait("error", "cancel_reply")
    assert {first["type"], second["type"]} == {"error", "cancel_reply"}
    assert {first["id"], second["id"]} == {"b"}
    raw.send({"type": "cancel", "id": "a"})
    assert raw.wait("error")["id"] == "a"


@pytest.mark.parametrize("name", ["never-seen", "finished"])
def test_cancelling_nothing_gets_its_reply(raw, name):
    submit(raw, "finished")
    raw.wait("result")
    raw.send({"type": "cancel", "id": name})
    assert raw.wait("cancel_reply") == {"type": "cancel_reply", "id": name, "outcome": "unknown"}


def test_cancelling_twice_gives_two_replies_and_one_error(raw):
    submit(raw, "a", depth_model="slow@render")
    raw.wait("progress")
    raw.send({"type": "cancel", "id": "a"})
    raw.send({"type": "cancel", "id": "a"})
    seen = [raw.wait("cancel_reply", "error")["type"] for _ in range(3)]
    assert sorted(seen) == ["cancel_reply", "cancel_reply", "error"]


def test_cancel_works_from_the_control_socket_of_the_same_session(module_daemon, raw):
    submit(raw, "a", depth_model="slow@render")
    raw.wait("progress")
    with Raw(module_daemon.where, "control", raw.session) as control:
        control.hello()
        assert control.ask({"type": "cancel", "id": "a"})["outcome"] == "stopping"
    assert raw.wait("error")["code"] == "cancelled"


def test_one_session_cannot_cancel_the_job_of_another(module_daemon, raw):
    submit(raw, "a", depth_model="slow@render")
    with Raw(module_daemon.where, "control") as other:
        other.hello()
        assert other.ask({"type": "cancel", "id": "a"})["outcome"] == "unknown"
    raw.send({"type": "cancel", "id": "a"})
    assert raw.wait("error")["code"] == "cancelled"


def test_a_deadline_ends_waiting_and_running_jobs(raw):
    submit(raw, "a", depth_model="slow@render", deadline_ms=300)
    submit(raw, "b", deadline_ms=100)
    errors = [raw.wait("error") for _ in range(2)]
    assert [(e["id"], e["code"]) for e in errors] == [("b", "deadline"), ("a", "deadline")]


def test_a_client_that_leaves_frees_the_daemon(module_daemon, picture):
    with Raw(module_daemon.where) as raw:
        raw.hello()
        raw.send(request("a", PIXELS, 16, 16, depth_model="slow@render"))
        raw.wait("accepted")
    began = time.monotonic()
    with module_daemon.client() as client:
        wait_for(lambda: client.status().running is None, 2, "the job of the client that left")
    assert time.monotonic() - began < 1.5


def test_control_answers_while_the_worker_computes(module_daemon, raw):
    submit(raw, "a", depth_model="slow@render")
    with module_daemon.client() as client:
        times = sorted(client.ping() for _ in range(50))
        assert client.status().running == "a"
    assert times[25] < 0.05
    raw.send({"type": "cancel", "id": "a"})
    raw.wait("error")


def test_the_python_client_cancels(module_daemon, picture):
    wanted = threading.Event()
    threading.Timer(0.3, wanted.set).start()
    with module_daemon.client() as client, pytest.raises(DaemonError) as error:
        client.render(RenderRequest(picture, depth_model="slow@render"), cancelled=wanted.is_set)
    assert error.value.code == "cancelled"


def test_a_worker_that_ignores_the_stop_is_killed_after_two_seconds(picture):
    with sandbox() as place:
        place.start()
        with place.client() as client:
            client.render(RenderRequest(picture))
            before = client.status().worker_pid
            stages = set()
            with pytest.raises(DaemonError) as error:
                client.render(
                    RenderRequest(picture, depth_model="deaf@render"),
                    progress=lambda stage, _: stages.add(stage),
                    cancelled=lambda: "deaf" in stages,
                )
            assert error.value.code == "cancelled"
            assert client.render(RenderRequest(picture)).planes
            assert client.status().worker_pid != before
            assert client.status().worker_restarts == 1
