"""The client against the real server and worker; only the computing is replaced."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from daemon.light import status
from daemon.light.connect import connect
from daemon.light.editor import Editor
from daemon.light.errors import Cancelled, DaemonLost, DaemonRefused, NoDaemon, PluginError
from daemon.light.planes import SAMPLE_BYTES, Plane
from daemon.light.request import LayerRequest
from daemon.light.view import Area
from daemon.wire.capabilities import Limits
from tests.reliability.sandbox import ENGINE, sandbox, wait_for

ROOT = Path(__file__).parents[2]
LENS = {"kind": "lens", "max_coc": 4.0}


@dataclasses.dataclass(frozen=True)
class Faulty(LayerRequest):
    """A request during which the engine misbehaves."""

    fault: str = ""

    def header(self, job):
        return {**super().header(job), "depth_model": self.fault}


@pytest.fixture(scope="module")
def running():
    """One daemon for the whole module; tests that kill it make their own."""
    with sandbox() as made:
        made.start()
        yield made


@pytest.fixture
def editor(tmp_path):
    return Editor("GIMP", tmp_path)


@pytest.fixture
def here(running, monkeypatch):
    monkeypatch.setenv("DEFOCUS_RUNTIME_DIR", str(running.directory))
    return running


@pytest.fixture
def client(here, editor):
    made = connect(editor)
    yield made
    made.close()


def picture(dtype="u8", channels=3, width=64, height=48, seed=0):
    size = width * height * channels * SAMPLE_BYTES[dtype]
    if dtype == "f32":
        data = b"\0\0\0\x3f" * (size // 4)
    else:
        data = bytes((seed + 7 * i) % 256 for i in range(256)) * (size // 256)
    return Plane(width, height, channels, dtype, "srgb", data)


@pytest.mark.parametrize("dtype", SAMPLE_BYTES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_kind_of_picture_comes_back_as_it_went(client, dtype, channels):
    image = picture(dtype, channels)
    reply = client.render(LayerRequest(image, LENS))
    composite = reply.planes["composite"]
    assert (composite.dtype, composite.channels) == (dtype, channels)
    assert all(reply.planes[name].channels == 1 for name in ("matte", "depth"))


def test_edited_maps_and_previews(client):
    image = picture(seed=1)
    matte = Plane(64, 48, 1, "u8", "linear", b"\xff" * (64 * 48))
    reply = client.render(LayerRequest(image, LENS, matte=matte, want=("composite",)))
    assert set(reply.planes) == {"composite"}


def test_a_wrong_value_is_refused_and_the_connection_lives_on(client):
    with pytest.raises(DaemonRefused) as caught:
        client.render(LayerRequest(picture(), {**LENS, "max_coc": -1.0}))
    assert caught.value.code == "bad_request"
    assert client.render(LayerRequest(picture(), LENS)).planes


@pytest.mark.parametrize("fault", ["oom@render", "crash@render", "corrupt@matte", "bug@encode"])
def test_engine_faults_are_typed(client, fault):
    with pytest.raises(DaemonRefused) as caught:
        client.render(Faulty(picture(seed=2), LENS, fault=fault))
    assert str(caught.value)
    assert client.render(LayerRequest(picture(), LENS)).planes


def test_a_client_may_rest_for_longer_than_the_daemons_patience(client):
    patience = Limits().silence_s
    time.sleep(patience + 2.0)
    assert client.render(LayerRequest(picture(seed=6), LENS)).planes


def test_several_threads_share_a_client(client):
    requests = [LayerRequest(picture(seed=number), LENS) for number in range(20, 32)]
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(client.render, requests))
    assert len({reply.planes["composite"].digest for reply in replies}) == len(requests)


def test_cancel_frees_the_daemon(client):
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        client.render(Faulty(picture(seed=3), LENS, fault="slow@render"), stop=stop)
    assert time.monotonic() - began < 2.0
    wait_for(lambda: client.status().header["running"] is None, 5, "the worker")


def test_a_killed_client_frees_the_daemon(client):
    code = (
        "from pathlib import Path\n"
        "from tests.light.test_real_daemon import Editor, Faulty, LENS, connect, picture\n"
        "slow = Faulty(picture(seed=4), LENS, fault='slow@render')\n"
        "connect(Editor('GIMP', Path())).render(slow)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as doomed:
        wait_for(lambda: client.status().header["running"] is not None, 20, "the job")
        doomed.kill()
    wait_for(lambda: client.status().header["running"] is None, 5, "the worker")


def test_a_stale_token_is_refused(editor, here, tmp_path, monkeypatch):
    fields = json.loads((here.directory / "connection.json").read_text())
    (tmp_path / "connection.json").write_text(json.dumps({**fields, "token": "stale"}))
    monkeypatch.setenv("DEFOCUS_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(DaemonRefused) as caught:
        connect(editor)
    assert caught.value.code == "unauthorized"
    assert status.state(editor) == status.State(up=False, problem=str(caught.value))


@pytest.mark.skipif(os.name != "posix", reason="Windows knows no modes")
def test_a_folder_that_others_can_enter_is_refused_in_words_and_stays(
    editor, monkeypatch, tmp_path
):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)  # as /tmp
    command = [sys.executable, "-m", "daemon.cli.main", "daemon", "start"]
    (tmp_path / "launcher.json").write_text(json.dumps({"command": command}))
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DEFOCUS_RUNTIME_DIR", str(shared))
    with pytest.raises(NoDaemon, match=r"started: other users can enter .* DEFOCUS_RUNTIME_DIR"):
        connect(editor)
    assert shared.stat().st_mode & 0o7777 == 0o1777


def test_started_killed_and_started_again(editor, monkeypatch, tmp_path):
    with sandbox() as place:
        for name, value in place.environment().items():
            monkeypatch.setenv(name, value)
        command = [sys.executable, "-m", "daemon.cli.main", "daemon", "start", "--engine", ENGINE]
        (tmp_path / "launcher.json").write_text(json.dumps({"command": command}))
        assert status.state(editor) == status.State(up=False)

        client = connect(editor)
        assert client.render(LayerRequest(picture(), LENS)).planes
        pid = client.status().header["pid"]
        threading.Timer(0.5, os.kill, (pid, signal.SIGKILL)).start()
        with pytest.raises(DaemonLost, match="Try again"):
            client.render(Faulty(picture(seed=5), LENS, fault="slow@render"))
        client.close()

        client = connect(editor)
        assert client.status().header["pid"] != pid
        assert client.render(LayerRequest(picture(), LENS)).planes
        client.close()
        assert status.stop(editor)
        wait_for(lambda: not status.state(editor).up, 10, "the end of the daemon")


def test_a_region_comes_alone(client):
    image = picture()
    whole = client.render(LayerRequest(image, LENS)).planes["composite"]
    part = client.render(LayerRequest(image, LENS, region=Area(5, 7, 20, 11))).planes["composite"]
    assert (part.width, part.height) == (20, 11)
    rows = [whole.data[3 * (64 * row + 5) : 3 * (64 * row + 25)] for row in range(7, 18)]
    assert part.data == b"".join(rows)


def test_an_old_daemon_is_not_asked_for_a_region(client):
    client._minor = 1
    with pytest.raises(PluginError, match="older version"):
        client.render(LayerRequest(picture(), LENS, region=Area(0, 0, 4, 4)))
