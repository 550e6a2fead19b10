"""Workers, fronts and clients that die: no job is lost, nothing hangs, the next start heals."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time

import msgpack
import numpy as np
import psutil
import pytest
import zmq

from daemon.cli.backend import There
from daemon.client.client import ConnectionLost, DaemonError, RenderRequest
from daemon.runtime.log import MAX_LOG_BYTES, WORKER_LOG_NAME
from daemon.server import presence
from daemon.server.worker_log import WorkerLog
from daemon.wire import discovery
from tests.reliability.engine import BREAK_START, STAGES
from tests.reliability.raw import Raw, request
from tests.reliability.sandbox import sandbox, wait_for


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", ["crash", "exit"])
def test_a_worker_that_dies_once_costs_nothing(module_daemon, picture, stage, fault):
    with module_daemon.client() as client:
        out = client.render(RenderRequest(picture, depth_model=f"once-{fault}@{stage}"))
    np.testing.assert_array_equal(out.planes["composite"], np.invert(picture))


def test_a_job_that_always_kills_its_worker_is_given_up(module_daemon, picture):
    with module_daemon.client() as client:
        with pytest.raises(DaemonError) as error:
            client.render(RenderRequest(picture, depth_model="crash@render"))
        assert error.value.code == "out_of_memory"
        with pytest.raises(DaemonError, match="status 70") as error:
            client.render(RenderRequest(picture, depth_model="exit@render"))
        assert (error.value.code, error.value.retryable) == ("internal", True)
        assert client.render(RenderRequest(picture)).planes


def test_a_hung_worker_is_replaced_and_the_job_repeated(picture):
    with sandbox("tests.reliability.engine", "--hang", "0.5") as place:
        place.start()
        with place.client() as client:
            out = client.render(RenderRequest(picture, depth_model="once-hang@render"))
            assert out.planes
            assert client.status().worker_restarts == 1
            with pytest.raises(DaemonError, match="no sign of life") as error:
                client.render(RenderRequest(picture, depth_model="hang@render"))
            assert error.value.code == "internal"


def test_a_worker_killed_while_idle_is_replaced_with_the_next_job(module_daemon, picture):
    with module_daemon.client() as client:
        client.render(RenderRequest(picture))
        os.kill(client.status().worker_pid, signal.SIGKILL)
        assert client.render(RenderRequest(picture)).planes


def test_a_job_sent_to_a_worker_that_has_just_died_does_not_stop_the_front(module_daemon, picture):
    with module_daemon.client() as client, module_daemon.client() as control:
        for number in range(8):
            client.render(RenderRequest(picture))
            os.kill(control.status().worker_pid, signal.SIGKILL)
            time.sleep(0.002 * number)  # the server's socket notices before its loop does
            image = np.full((16, 16, 3), number, np.uint8)
            assert (client.render(RenderRequest(image)).planes["composite"] == 255 - number).all()


def test_a_worker_that_never_starts_is_reported_with_its_last_words(place, picture):
    (place.memory / BREAK_START).touch()
    place.start()
    with place.client() as client:
        with pytest.raises(DaemonError, match="on fire") as error:
            client.render(RenderRequest(picture))
        assert error.value.code == "internal"
        assert "install.py" in str(error.value.hint), "trying again does not help"
        assert not error.value.retryable
        (place.memory / BREAK_START).unlink()
        assert client.render(RenderRequest(picture)).planes, "and it is healed without a restart"


def test_a_worker_without_a_place_for_its_socket_does_not_stop_the_front(place, picture):
    place.options = ("--no-preload",)
    place.start()
    gone = place.root / "gone"
    with place.client() as client:
        place.directory.rename(gone)
        with pytest.raises(DaemonError, match="No such file") as error:
            client.render(RenderRequest(picture))
        assert error.value.code == "internal"
        gone.rename(place.directory)
        assert client.render(RenderRequest(picture)).planes


@pytest.mark.skipif(os.name != "posix", reason="Windows knows no modes")
def test_a_stranger_at_the_workers_socket_changes_nothing(place, picture):
    place.options = ("--tcp", "--no-preload")
    place.start()
    with place.client() as client, zmq.Context() as context:
        render = threading.Thread(target=client.render, args=[RenderRequest(picture)])
        render.start()
        wait_for(lambda: _ports(place) and len(_ports(place)) == 3, 10, "the worker's socket")
        clients = {int(e.rpartition(":")[2]) for e in (place.where.work, place.where.control)}
        (port,) = _ports(place) - clients
        with context.socket(zmq.PAIR) as stranger:
            stranger.linger = 0
            stranger.connect(f"tcp://127.0.0.1:{port}")
            render.join(20)
            assert not stranger.poll(0)
        with place.client() as second:
            assert second.status().worker_restarts == 0
            assert second.status().finished == {"result": 1}


def _ports(place):
    """Ports at which a daemon listens."""
    found = psutil.Process(place.where.pid).net_connections("tcp")
    return {one.laddr.port for one in found if one.status == psutil.CONN_LISTEN}


def test_the_workers_log_is_cut_while_the_worker_lives(tmp_path):
    log = WorkerLog(tmp_path / "logs")
    reader, writer = os.pipe()
    log.follow(os.fdopen(reader, "rb"))
    with os.fdopen(writer, "wb") as pipe:
        for number in range(60_000):
            pipe.write(b"line %d %s\n" % (number, b"x" * 90))
    log.finish()
    files = sorted((tmp_path / "logs").iterdir())
    assert [file.name for file in files] == [WORKER_LOG_NAME, f"{WORKER_LOG_NAME}.1"]
    assert all(file.stat().st_size <= MAX_LOG_BYTES for file in files)
    assert log.last.startswith("line 59999 ")


def test_an_idle_worker_is_unloaded_and_comes_back(picture):
    with sandbox("tests.reliability.engine", "--idle", "0.3") as place:
        place.start()
        with place.client() as client:
            client.render(RenderRequest(picture))
            wait_for(lambda: client.status().worker == "none", 5, "the unload")
            assert client.status().models  # unloading does not change what there is
            assert client.status().worker_restarts == 0
            assert client.render(RenderRequest(picture)).cached == []


def test_a_client_notices_that_the_front_was_killed(running, picture):
    with running.client() as client:
        client.render(RenderRequest(picture))
        worker = client.status().worker_pid
        os.kill(running.where.pid, signal.SIGKILL)
        running.process.wait()
        with pytest.raises(ConnectionLost):
            client.render(RenderRequest(picture))
    wait_for(lambda: not psutil.pid_exists(worker), 3, "the orphaned worker to leave")


def test_work_goes_on_here_and_says_so_when_the_front_is_killed(
    in_sandbox, picture, work_here, capsys
):
    front = in_sandbox.start().pid

    def kill(*_):
        if in_sandbox.process.poll() is None:
            os.kill(front, signal.SIGKILL)
            in_sandbox.process.wait()

    job = RenderRequest(picture, depth_model="slow@render")
    assert There("auto").make(job, kill) == "made here"
    assert "the daemon was lost; going on without it" in capsys.readouterr().err


def test_work_goes_on_here_and_says_so_when_the_front_hangs(
    in_sandbox, picture, work_here, monkeypatch, capsys
):
    monkeypatch.setattr("daemon.client.client.HELLO_S", 0.5)
    in_sandbox.start()
    in_sandbox.process.send_signal(signal.SIGSTOP)
    try:
        assert There("auto").make(RenderRequest(picture), print) == "made here"
    finally:
        in_sandbox.process.send_signal(signal.SIGCONT)
    assert "no answer from ipc://" in capsys.readouterr().err


def test_a_killed_front_is_healed_by_the_next_start(running, picture):
    os.kill(running.where.pid, signal.SIGKILL)
    running.process.wait()
    assert (running.directory / "work.sock").exists(), "a stale socket is left"
    assert (running.directory / discovery.FILE_NAME).exists(), "and a stale file"
    running.start()
    with running.client() as client:
        assert client.render(RenderRequest(picture)).planes


def test_a_recycled_pid_is_not_taken_for_the_daemon(place):
    stale = discovery.Connection(
        pid=os.getpid(),
        started=discovery.process_start(os.getpid()) - 1000,
        server="0",
        work="ipc:///nowhere",
        control="ipc:///nowhere",
        token="t",
    )
    presence.publish(stale, place.directory)
    assert discovery.find(place.directory) is None
    place.start()
    assert place.where.pid == place.process.pid


def test_a_graceful_stop_finishes_what_was_accepted(place, picture):
    place.start()
    with Raw(place.where) as raw, place.client() as client:
        raw.hello()
        raw.send(request("a", bytes(768), 16, 16, depth_model="slow@render"))
        raw.wait("need")
        assert client.shutdown(drain=True) == 1
        with pytest.raises(DaemonError) as error:
            client.render(RenderRequest(picture))
        assert error.value.code == "busy"
        raw.send({"type": "pixels", "id": "a", "planes": ["image"]}, [bytes(768)])
        assert raw.wait("result")["id"] == "a"
        assert place.process.wait(5) == 0
    assert discovery.find(place.directory) is None
    assert not (place.directory / discovery.FILE_NAME).exists()


@pytest.mark.parametrize("how", ["request", "signal"])
def test_a_hasty_stop_answers_everything_cancelled(place, how):
    place.start()
    # connected beforehand: on a busy machine that takes as long as the slow job
    with Raw(place.where) as raw, place.client() as client:
        raw.hello()
        for name in "abc":
            raw.send(request(name, bytes(768), 16, 16, depth_model="slow@render"))
        raw.wait("need")
        raw.send({"type": "pixels", "id": "a", "planes": ["image"]}, [bytes(768)])
        raw.wait("progress")
        if how == "signal":
            place.process.terminate()
        else:
            client.shutdown(drain=False)
        errors = [raw.wait("error") for _ in range(3)]
        assert {e["id"] for e in errors} == set("abc")
        assert {e["code"] for e in errors} == {"cancelled"}
    assert place.process.wait(5) == 0


def test_pixels_that_never_come_are_given_up(place):
    place.options = ("--pixels-timeout", "0.3")
    place.start()
    with Raw(place.where) as raw:
        raw.hello()
        raw.send(request("a", bytes(768), 16, 16))
        error = raw.wait("error")
    assert (error["code"], error["retryable"]) == ("deadline", True)


def test_a_reconnected_client_finds_its_job(module_daemon):
    where = module_daemon.where
    job = request("again", bytes(768), 16, 16, depth_model="slow@render")
    with Raw(where, session="same") as first, Raw(where, session="same") as second:
        first.hello()
        first.send(job)
        first.wait("need")
        second.hello()
        second.send(job)
        second.wait("need")
        second.send({"type": "pixels", "id": "again", "planes": ["image"]}, [bytes(768)])
        began = time.monotonic()
        assert second.wait("result")["id"] == "again"
        assert time.monotonic() - began < 10


SIDE = 64
PIXELS = bytes(range(48)) * (SIDE * SIDE // 16)
SHADES = bytes(range(16)) * (SIDE * SIDE // 16)
DEPTH = {"width": SIDE, "height": SIDE, "digest": hashlib.sha256(SHADES).hexdigest()}


def ask(raw, name, pixels=PIXELS, width=SIDE, **changes):
    """Send a request and give the planes that the daemon asks for."""
    raw.send(request(name, pixels, width, len(pixels) // 3 // width, **changes))
    return raw.wait("need")["planes"]


def give(raw, name, **planes):
    raw.send({"type": "pixels", "id": name, "planes": list(planes)}, list(planes.values()))


@pytest.mark.parametrize("first", ["the map comes", "the picture is lost"])
@pytest.mark.parametrize("cause", ["death", "eviction"])
def test_a_job_asked_for_its_map_alone_is_asked_for_the_picture_that_was_lost(place, cause, first):
    place.options = ("--cache-mb", "1")
    place.start()
    with Raw(place.where) as waits, Raw(place.where) as runs, place.client() as control:
        waits.hello()
        runs.hello()
        ask(waits, "a")
        give(waits, "a", image=PIXELS)
        waits.wait("result")
        for name, fault in (("b", ""), ("c", "slow@render")):  # together they fill the cache
            pixels = name.encode() * (3 * 341 * 512)
            ask(runs, name, pixels, 512, depth_model=fault)
            give(runs, name, image=pixels)
            runs.wait("progress" if fault else "result")

        assert ask(waits, "d", depth=DEPTH) == ["depth"]
        if first == "the map comes":
            give(waits, "d", depth=SHADES)
        if cause == "death":
            os.kill(control.status().worker_pid, signal.SIGKILL)
            wait_for(lambda: control.status().worker_restarts == 1, 5, "the death")
        else:
            runs.wait("result")
        if first == "the picture is lost":
            give(waits, "d", depth=SHADES)
        assert waits.wait("need")["planes"] == ["image"]
        give(waits, "d", image=PIXELS)
        assert waits.wait("result")["id"] == "d"


def test_planes_may_come_one_by_one(module_daemon):
    with Raw(module_daemon.where) as raw:
        raw.hello()
        pixels = PIXELS[::-1]
        for name in ask(raw, "a", pixels, depth=DEPTH):
            give(raw, "a", **{name: pixels if name == "image" else SHADES})
        assert raw.wait("result", "need")["type"] == "result"


def test_a_plane_sent_twice_buys_no_time(place):
    place.options = ("--pixels-timeout", "0.6")
    place.start()
    with Raw(place.where) as raw:
        raw.hello()
        assert ask(raw, "a", depth=DEPTH) == ["image", "depth"]
        for _ in range(5):
            give(raw, "a", depth=SHADES)
            time.sleep(0.2)
        assert raw.wait("error", "need")["code"] == "deadline"


def test_after_a_restart_a_library_that_reconnects_by_itself_is_told_to_say_hello(place):
    place.start()
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.linger = 0
    socket.connect(place.where.work)

    def ask(**header):
        for _ in range(10):  # who says no hello is out after two seconds, and connects again
            socket.send(msgpack.packb(header))
            while socket.poll(1000):
                answer = msgpack.unpackb(socket.recv())
                kind = answer.get("to") or {"welcome": "hello"}.get(answer["type"])
                if kind == header["type"]:  # no heartbeat, nor a late one
                    return answer
        raise TimeoutError("the library does not find the new daemon")

    hello = {"type": "hello", "protocol": [1, 1], "token": place.where.token}
    assert ask(**hello)["type"] == "welcome"
    place.process.kill()
    place.process.wait()
    place.start()
    try:
        lost = ask(type="ping")
        assert (lost["code"], lost["id"], lost["to"]) == ("unauthorized", None, "ping")
        assert ask(**hello)["field"] == "token", "that of the daemon before"
        assert ask(**{**hello, "token": place.where.token})["type"] == "welcome"
    finally:
        socket.close()
        context.term()


def test_who_asks_for_it_is_told_when_the_models_are_there(place):
    place.options = ("--no-preload",)
    place.start()
    with Raw(place.where) as asks, Raw(place.where) as does_not, Raw(place.where) as late:
        assert asks.hello(capabilities=["ready"])["devices"] == []
        does_not.hello()
        does_not.send(request("a", bytes(768), 16, 16))
        told = asks.wait("ready")
        assert (told["devices"], told["models"][0]["name"]) == (["cpu"], "none")
        assert late.hello(capabilities=["ready"])["devices"] == ["cpu"]
        assert late.wait("ready")["devices"] == ["cpu"]
        does_not.send({"type": "pixels", "id": "a", "planes": ["image"]}, [bytes(768)])
        heard = {does_not.wait("accepted", "need", "ready", "result")["type"] for _ in range(3)}
        assert "ready" not in heard
