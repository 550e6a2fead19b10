"""The client against a daemon that can misbehave."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import socket
import threading
import time
import tracemalloc

import msgpack
import pytest
import zmq

from daemon.light import client as light_client
from daemon.light import zmtp
from daemon.light.client import silent
from daemon.light.connect import connect
from daemon.light.editor import Editor
from daemon.light.errors import Cancelled, DaemonLost, DaemonRefused, NoDaemon, ProtocolError
from daemon.light.planes import File, Plane
from daemon.light.preview_thread import PreviewThread
from daemon.light.request import LayerRequest
from daemon.light.status import State
from tests.fakes.daemon import FakeDaemon


@pytest.fixture(autouse=True)
def editor(monkeypatch, tmp_path):
    """A plug-in folder and a runtime directory of the test's own."""
    monkeypatch.setenv("DEFOCUS_RUNTIME_DIR", str(tmp_path))
    return Editor("GIMP", tmp_path)


def picture(width=64, height=48, channels=3, dtype="u8", size=1):
    data = bytes(range(256)) * (width * height * channels * size // 256)
    return Plane(width, height, channels, dtype, "srgb", data)


LENS = {"kind": "lens", "max_coc": 20.0}


def test_a_picture_comes_back_with_its_maps(editor, tmp_path):
    with FakeDaemon(tmp_path):
        client = connect(editor)
        stages = []
        reply = client.render(LayerRequest(picture(), LENS), lambda *step: stages.append(step))
        client.close()
    assert set(reply.planes) == {"matte", "depth", "composite"}
    assert reply.planes["composite"].channels == 3
    assert reply.planes["matte"].channels == 1
    assert stages == [("render", 0.5)]


def test_large_planes_arrive_whole(editor, tmp_path):
    image = picture(1024, 512, 4)
    with FakeDaemon(tmp_path):
        client = connect(editor)
        reply = client.render(LayerRequest(image, {"kind": "lens", "max_coc": 0.0}))
        client.close()
    assert reply.planes["composite"].data == image.data


@pytest.fixture
def told_at_once(monkeypatch):
    """Progress of the shortest transfer is told, too."""
    monkeypatch.setattr(light_client, "TOLD_S", -1.0)


def test_how_far_the_pixels_are_is_told(editor, tmp_path, told_at_once):
    stages = []
    with FakeDaemon(tmp_path):
        client = connect(editor)
        client.render(LayerRequest(picture(2048, 1024, 4), LENS), lambda *step: stages.append(step))
        client.close()
    pieces = [fraction for stage, fraction in stages if stage == "pixels"]
    assert pieces == [piece / 8 for piece in range(1, 9)]  # 8 MiB
    assert stages[-1] == ("render", 0.5)


def test_handing_over_can_be_cancelled_in_the_middle(editor, tmp_path, told_at_once):
    stop = threading.Event()

    def report(stage, fraction):
        if (stage, fraction) == ("pixels", 0.25):
            stop.set()

    with FakeDaemon(tmp_path) as daemon:
        client = connect(editor)
        with pytest.raises(Cancelled):
            client.render(LayerRequest(picture(2048, 1024, 4), LENS), report, stop)
        assert client.render(LayerRequest(picture(), LENS)).planes, "the next picture"
        client.close()
    sent = [each for each in daemon.heard if each["type"] == "pixels"]
    assert len(sent) == 1, "the first picture never came whole"


def test_pixels_travel_once(editor, tmp_path):
    with FakeDaemon(tmp_path) as daemon:
        client = connect(editor)
        client.render(LayerRequest(picture(), LENS))
        client.render(LayerRequest(picture(), {**LENS, "max_coc": 5.0}, preview=32))
        client.close()
        kinds = [message["type"] for message in daemon.heard]
    assert kinds.count("render") == 2
    assert kinds.count("pixels") == 1


def test_a_daemon_that_knows_no_files_is_sent_none(editor, tmp_path):
    with FakeDaemon(tmp_path) as daemon:
        client = connect(editor)
        job = LayerRequest(picture(), LENS, file=File(b"a photo's file"))
        client.render(job)
        client._minor = 6
        client.render(dataclasses.replace(job, preview=32))
        client.close()
        asked = [message.get("file") for message in daemon.heard if message["type"] == "render"]
    digest = hashlib.sha256(b"a photo's file").hexdigest()
    assert asked == [{"nbytes": 14, "digest": digest}, None]


def test_a_typed_error_carries_its_hint_and_the_connection_lives_on(editor, tmp_path):
    with FakeDaemon(tmp_path, "out_of_memory") as daemon:
        client = connect(editor)
        with pytest.raises(DaemonRefused, match=r"^Told to fail\. Do\.$") as caught:
            client.render(LayerRequest(picture(), LENS))
        assert caught.value.code == "out_of_memory"
        daemon.fault = None
        assert client.render(LayerRequest(picture(), LENS)).focus == 0.75
        client.close()


def test_cancel_reaches_the_daemon_at_once(editor, tmp_path):
    with FakeDaemon(tmp_path, "wait") as daemon:
        client = connect(editor)
        stop = threading.Event()
        threading.Timer(0.2, stop.set).start()
        started = time.monotonic()
        with pytest.raises(Cancelled):
            client.render(LayerRequest(picture(), LENS), stop=stop)
        assert time.monotonic() - started < 1.5
        client.close()
        assert "cancel" in [message["type"] for message in daemon.heard]


@pytest.mark.parametrize("fault", ["vanish", "hang"])
def test_a_daemon_that_goes_away_is_noticed(editor, tmp_path, fault):
    with FakeDaemon(tmp_path, fault):
        client = connect(editor)
        with pytest.raises(DaemonLost):
            client.render(LayerRequest(picture(), LENS))
        client.close()


def test_a_job_for_a_daemon_that_has_gone_away_ends_at_once(editor, tmp_path):
    with FakeDaemon(tmp_path):
        client = connect(editor)
    for _ in range(3):  # ZeroMQ would wait for another daemon for ever
        with pytest.raises(DaemonLost):
            client.render(LayerRequest(picture(), LENS))
    client.close()


def test_closing_after_a_daemon_died_with_messages_unread_ends_at_once(tmp_path):
    def send_much():
        for _ in range(8):  # more than the peer takes: this waits
            opened.send([bytes(1 << 20)])
        opened.receive(5.0)

    with zmq.Context() as context:
        deaf = context.socket(zmq.ROUTER)
        deaf.rcvhwm = 1
        deaf.bind(f"ipc://{tmp_path}/deaf.sock")
        opened = zmtp.Dealer(f"ipc://{tmp_path}/deaf.sock")
        threading.Timer(0.3, deaf.close, [0]).start()
        with pytest.raises(DaemonLost):
            send_much()
    closing = threading.Thread(target=opened.close, daemon=True)
    closing.start()
    closing.join(3.0)
    assert not closing.is_alive()


@pytest.mark.parametrize(
    "frame",
    [
        b"\x02" + (1_900_000_000).to_bytes(8, "big"),
        b"\x03" + (1_000_000_000).to_bytes(8, "big"),
        b"\x01\x01x\x02" + (1_900_000_000).to_bytes(8, "big"),
        b"\x06" + (1_900_000_000).to_bytes(8, "big"),
    ],
    ids=["header", "header with more", "plane", "command"],
)
def test_no_room_is_made_for_what_cannot_be_expected(tmp_path, frame):
    path = f"{tmp_path}/false.sock"
    with socket.create_server(path, family=socket.AF_UNIX) as server:
        threading.Thread(target=pretend, args=[server, frame], daemon=True).start()
        dealer = zmtp.Dealer(f"ipc://{path}")
        dealer.largest_plane = 10_000_000
        tracemalloc.start()
        try:
            with pytest.raises(ProtocolError, match="bytes, at most"):
                dealer.receive(5.0)
            assert tracemalloc.get_traced_memory()[1] < 1 << 20
        finally:
            tracemalloc.stop()
            dealer.close()


def pretend(server, frame):
    """Shake hands like a daemon, then promise much."""
    line, _ = server.accept()
    with line:
        line.recv(64)
        line.sendall(zmtp.GREETING)
        line.sendall(b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06ROUTER" + frame)
        while line.recv(1000):
            pass


def test_closing_ends_what_another_thread_waits_for(editor, tmp_path):
    with FakeDaemon(tmp_path, "wait"):
        client = connect(editor)
        threading.Timer(0.3, client.close).start()
        with pytest.raises(Cancelled):
            client.render(LayerRequest(picture(), LENS))


def test_a_job_that_the_daemon_forgets_is_not_waited_for(editor, tmp_path):
    with FakeDaemon(tmp_path, "forget"):
        client = connect(editor)
        with pytest.raises(DaemonLost, match="silent for 3 s"):
            client.render(LayerRequest(picture(), LENS))


def test_a_slow_daemon_that_answers_pings_is_waited_for(editor, tmp_path):
    with FakeDaemon(tmp_path, "wait"):
        client = connect(editor)
        stop = threading.Event()
        threading.Timer(2.5, stop.set).start()
        with pytest.raises(Cancelled):
            client.render(LayerRequest(picture(), LENS), stop=stop)
        client.close()


def test_status_is_answered_while_a_job_runs(editor, tmp_path):
    with FakeDaemon(tmp_path):
        client = connect(editor)
        assert State.of(client.status()).worker == "idle"
        client.close()


def test_pongs_alone_are_no_answer(monkeypatch):
    class Chatty:
        turns = 0

        def receive(self, timeout):
            self.turns += 1
            assert self.turns < 100
            time.sleep(0.02)
            return [msgpack.packb({"type": "pong", "nonce": 0})] if timeout > 0 else None

    monkeypatch.setattr(light_client, "ANSWER_S", 0.2)
    with pytest.raises(DaemonLost, match="no answer within"):
        light_client._answer(Chatty(), "state")


def test_the_thread_shows_a_rough_preview_before_the_fine_one(editor, tmp_path):
    shown, complaints = [], []
    with FakeDaemon(tmp_path) as daemon:
        both = threading.Semaphore(0)

        def show(reply):
            shown.append(reply.planes["composite"].data)
            both.release()

        previews = PreviewThread(editor, show, complaints.append, silent)
        previews.ask(
            LayerRequest(picture(), {**LENS, "max_coc": 5.0}), LayerRequest(picture(), LENS)
        )
        assert both.acquire(timeout=10)
        assert both.acquire(timeout=10)
        previews.close()
        strengths = [m["lens"]["max_coc"] for m in daemon.heard if m["type"] == "render"]
    assert strengths == [5.0, 20.0]
    assert shown[0] != shown[1]
    assert complaints == []


def test_a_newer_wish_ends_what_the_thread_waits_for(editor, tmp_path):
    shown = threading.Semaphore(0)
    with FakeDaemon(tmp_path) as daemon:
        previews = PreviewThread(editor, lambda _: shown.release(), print, silent)
        previews.ask(LayerRequest(picture(), LENS))
        assert shown.acquire(timeout=10)
        daemon.fault = "wait"
        previews.ask(LayerRequest(picture(), {**LENS, "max_coc": 5.0}))
        until = time.monotonic() + 10
        while len([m for m in daemon.heard if m["type"] == "render"]) < 2:
            assert time.monotonic() < until
            time.sleep(0.01)
        daemon.fault = None
        previews.ask(LayerRequest(picture(), {**LENS, "max_coc": 9.0}))
        assert shown.acquire(timeout=10)
        previews.close()
        assert "cancel" in [message["type"] for message in daemon.heard]


def test_a_wrong_token_is_refused(editor, tmp_path):
    with FakeDaemon(tmp_path):
        file = tmp_path / "connection.json"
        file.write_text(file.read_text().replace("fake-token", "stale"))
        with pytest.raises(DaemonRefused, match="Wrong token"):
            connect(editor)


def test_without_daemon_and_launcher_the_message_says_what_to_run(editor):
    with pytest.raises(NoDaemon, match=r"install\.py"):
        connect(editor)


def test_a_launcher_that_fails_is_reported_with_its_last_words(editor, tmp_path):
    words = '{"command": ["sh", "-c", "echo weights are missing >&2; exit 3"]}'
    (tmp_path / "launcher.json").write_text(words)
    with pytest.raises(NoDaemon, match="weights are missing"):
        connect(editor)


@pytest.mark.parametrize(
    ("known", "there", "where"),
    [
        (False, False, "that defocus lies in now"),
        (True, False, "that defocus lies in now"),
        (True, True, "in the folder {root} and run `python3 install.py`"),
    ],
)
def test_a_program_that_was_moved_is_told_by_what_helps(editor, tmp_path, known, there, where):
    root = tmp_path / "defocus"
    root.mkdir()
    if there:
        (root / "install.py").touch()
    command = [str(root / ".venv/bin/python"), "-m", "daemon"]
    record = {"command": command, **({"root": str(root)} if known else {})}
    (tmp_path / "launcher.json").write_text(json.dumps(record))
    with pytest.raises(NoDaemon, match=r"moved, or its environment deleted") as told:
        connect(editor)
    assert where.format(root=root) in str(told.value)


def test_a_program_that_pip_has_lost_is_got_back_as_it_came(editor, tmp_path):
    packages = tmp_path / "lib" / "python3.12" / "site-packages"
    packages.mkdir(parents=True)
    record = {"command": [str(tmp_path / "bin/python")], "root": str(packages)}
    (tmp_path / "launcher.json").write_text(json.dumps(record))
    with pytest.raises(NoDaemon, match="install defocus again as before") as told:
        connect(editor)
    assert "install.py" not in str(told.value), "there is none"


def test_in_a_sandbox_the_message_names_the_command(editor, tmp_path, monkeypatch):
    monkeypatch.setattr(Editor, "sandboxed", True)
    (tmp_path / "launcher.json").write_text('{"command": ["/nowhere/defocus", "daemon", "start"]}')
    with pytest.raises(NoDaemon, match="/nowhere/defocus daemon start"):
        connect(editor)


def test_a_stale_connection_file_is_passed_over(editor, tmp_path, monkeypatch):
    stale = f'{{"work": "ipc://{tmp_path}/gone", "control": "ipc://{tmp_path}/gone", "token": ""}}'
    (tmp_path / "connection.json").write_text(stale)
    with pytest.raises(NoDaemon):
        connect(editor)
