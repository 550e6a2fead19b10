"""Both ways to reach a daemon, against one that can misbehave."""

from __future__ import annotations

import threading
import time

import msgpack
import pytest
import zmq

from gimp_plugin import connection, link, reach
from gimp_plugin.client import Job, silent
from gimp_plugin.engine import Engine
from gimp_plugin.errors import Cancelled, LinkLost, NoDaemon, Refused
from gimp_plugin.planes import Plane
from tests.fakes.daemon import FakeDaemon


@pytest.fixture(params=["pyzmq", "stdlib"], autouse=True)
def path(request, monkeypatch, tmp_path):
    """Run every test here over both paths, with a runtime directory of its own."""
    monkeypatch.setenv("DEFOCUS_CLIENT", request.param)
    monkeypatch.setenv("DEFOCUS_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(connection, "LAUNCHER", tmp_path / "launcher.json")
    return request.param


def picture(width=64, height=48, channels=3, dtype="u8", size=1):
    data = bytes(range(256)) * (width * height * channels * size // 256)
    return Plane(width, height, channels, dtype, "srgb", data)


LENS = {"kind": "lens", "max_coc": 20.0}


def test_a_picture_comes_back_with_its_maps(tmp_path):
    with FakeDaemon(tmp_path):
        client = reach.client()
        stages = []
        reply = client.render(Job(picture(), LENS), lambda *step: stages.append(step))
        client.close()
    assert set(reply.planes) == {"matte", "depth", "composite"}
    assert reply.planes["composite"].channels == 3
    assert reply.planes["matte"].channels == 1
    assert stages == [("render", 0.5)]


def test_large_planes_arrive_whole(tmp_path):
    image = picture(2048, 1024, 4)
    with FakeDaemon(tmp_path):
        client = reach.client()
        reply = client.render(Job(image, {"kind": "lens", "max_coc": 0.0}))
        client.close()
    assert reply.planes["composite"].data == image.data


def test_pixels_travel_once(tmp_path):
    with FakeDaemon(tmp_path) as daemon:
        client = reach.client()
        client.render(Job(picture(), LENS))
        client.render(Job(picture(), {**LENS, "max_coc": 5.0}, preview=32))
        client.close()
        kinds = [message["type"] for message in daemon.heard]
    assert kinds.count("render") == 2
    assert kinds.count("pixels") == 1


def test_a_typed_error_carries_its_hint_and_the_connection_lives_on(tmp_path):
    with FakeDaemon(tmp_path, "out_of_memory") as daemon:
        client = reach.client()
        with pytest.raises(Refused, match=r"^Told to fail\. Do\.$") as caught:
            client.render(Job(picture(), LENS))
        assert caught.value.code == "out_of_memory"
        daemon.fault = None
        assert client.render(Job(picture(), LENS)).focus == 0.75
        client.close()


def test_cancel_reaches_the_daemon_at_once(tmp_path):
    with FakeDaemon(tmp_path, "wait") as daemon:
        client = reach.client()
        stop = threading.Event()
        threading.Timer(0.2, stop.set).start()
        started = time.monotonic()
        with pytest.raises(Cancelled):
            client.render(Job(picture(), LENS), stop=stop)
        assert time.monotonic() - started < 1.5
        client.close()
        assert "cancel" in [message["type"] for message in daemon.heard]


@pytest.mark.parametrize("fault", ["vanish", "hang"])
def test_a_daemon_that_goes_away_is_noticed(tmp_path, fault):
    with FakeDaemon(tmp_path, fault):
        client = reach.client()
        with pytest.raises(LinkLost):
            client.render(Job(picture(), LENS))
        client.close()


def test_a_job_for_a_daemon_that_has_gone_away_ends_at_once(tmp_path):
    with FakeDaemon(tmp_path):
        client = reach.client()
    for _ in range(3):  # ZeroMQ would wait for another daemon for ever
        with pytest.raises(LinkLost):
            client.render(Job(picture(), LENS))
    client.close()


def test_closing_after_a_daemon_died_with_messages_unread_ends_at_once(tmp_path):
    def send_much():
        for _ in range(8):  # ZeroMQ takes them all, the standard library waits
            opened.send([bytes(1 << 20)])
        opened.receive(5.0)

    with zmq.Context() as context:
        deaf = context.socket(zmq.ROUTER)
        deaf.rcvhwm = 1
        deaf.bind(f"ipc://{tmp_path}/deaf.sock")
        opened = link.connect(f"ipc://{tmp_path}/deaf.sock")
        threading.Timer(0.3, deaf.close, [0]).start()
        with pytest.raises(LinkLost):
            send_much()
    closing = threading.Thread(target=opened.close, daemon=True)
    closing.start()
    closing.join(3.0)
    assert not closing.is_alive()


def test_a_slow_daemon_that_answers_pings_is_waited_for(tmp_path):
    with FakeDaemon(tmp_path, "wait"):
        client = reach.client()
        stop = threading.Event()
        threading.Timer(2.5, stop.set).start()
        with pytest.raises(Cancelled):
            client.render(Job(picture(), LENS), stop=stop)
        client.close()


def test_status_is_answered_while_a_job_runs(tmp_path):
    with FakeDaemon(tmp_path):
        client = reach.client()
        assert client.status()["worker"] == "idle"
        client.close()


def test_pongs_alone_are_no_answer(tmp_path, monkeypatch):
    class Chatty:
        turns = 0

        def receive(self, timeout):
            self.turns += 1
            assert self.turns < 100
            time.sleep(0.02)
            return [msgpack.packb({"type": "pong", "nonce": 0})] if timeout > 0 else None

    with FakeDaemon(tmp_path):
        client = reach.client()
        monkeypatch.setattr("gimp_plugin.client.ANSWER_S", 0.2)
        with pytest.raises(LinkLost, match="no answer within"):
            client._answer(Chatty())
        client.close()


def test_the_engine_shows_a_rough_preview_before_the_fine_one(tmp_path):
    shown, complaints = [], []
    with FakeDaemon(tmp_path) as daemon:
        both = threading.Semaphore(0)

        def show(reply):
            shown.append(reply.planes["composite"].data)
            both.release()

        engine = Engine(show, complaints.append, silent)
        engine.ask(Job(picture(), {**LENS, "max_coc": 5.0}), Job(picture(), LENS))
        assert both.acquire(timeout=10)
        assert both.acquire(timeout=10)
        engine.close()
        strengths = [m["lens"]["max_coc"] for m in daemon.heard if m["type"] == "render"]
    assert strengths == [5.0, 20.0]
    assert shown[0] != shown[1]
    assert complaints == []


def test_a_newer_wish_ends_what_the_engine_waits_for(tmp_path):
    shown = threading.Semaphore(0)
    with FakeDaemon(tmp_path) as daemon:
        engine = Engine(lambda _: shown.release(), print, silent)
        engine.ask(Job(picture(), LENS))
        assert shown.acquire(timeout=10)
        daemon.fault = "wait"
        engine.ask(Job(picture(), {**LENS, "max_coc": 5.0}))
        until = time.monotonic() + 10
        while len([m for m in daemon.heard if m["type"] == "render"]) < 2:
            assert time.monotonic() < until
            time.sleep(0.01)
        daemon.fault = None
        engine.ask(Job(picture(), {**LENS, "max_coc": 9.0}))
        assert shown.acquire(timeout=10)
        engine.close()
        assert "cancel" in [message["type"] for message in daemon.heard]


def test_a_wrong_token_is_refused(tmp_path):
    with FakeDaemon(tmp_path):
        file = tmp_path / "connection.json"
        file.write_text(file.read_text().replace("fake-token", "stale"))
        with pytest.raises(Refused, match="Wrong token"):
            reach.client()


def test_without_daemon_and_launcher_the_message_says_what_to_run():
    with pytest.raises(NoDaemon, match=r"install\.py"):
        reach.client()


def test_a_launcher_that_fails_is_reported_with_its_last_words(tmp_path):
    words = '{"command": ["sh", "-c", "echo weights are missing >&2; exit 3"]}'
    connection.LAUNCHER.write_text(words)
    with pytest.raises(NoDaemon, match="weights are missing"):
        reach.client()


def test_a_launcher_that_is_gone_is_reported(tmp_path):
    connection.LAUNCHER.write_text('{"command": ["/nowhere/defocus", "daemon", "start"]}')
    with pytest.raises(NoDaemon, match="/nowhere/defocus daemon start"):
        reach.client()


def test_a_stale_connection_file_is_passed_over(tmp_path, monkeypatch):
    stale = f'{{"work": "ipc://{tmp_path}/gone", "control": "ipc://{tmp_path}/gone", "token": ""}}'
    (tmp_path / "connection.json").write_text(stale)
    with pytest.raises(NoDaemon):
        reach.client()
