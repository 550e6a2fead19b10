"""Both client paths against the real front and worker; only the computing is replaced."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from daemon.faults.sandbox import ENGINE, sandbox, wait_for
from gimp_plugin import connection, reach, status
from gimp_plugin.client import Job
from gimp_plugin.errors import Cancelled, LinkLost, NoDaemon, Refused
from gimp_plugin.planes import SAMPLE_BYTES, Plane

ROOT = Path(__file__).parents[2]
LENS = {"kind": "lens", "max_coc": 4.0}


@dataclasses.dataclass(frozen=True)
class Faulty(Job):
    """A job during which the engine misbehaves."""

    fault: str = ""

    def header(self, job_id):
        return {**super().header(job_id), "depth_model": self.fault}


@pytest.fixture(scope="module")
def running():
    """One daemon for the whole module; tests that kill it make their own."""
    with sandbox() as made:
        made.start()
        yield made


@pytest.fixture(params=["pyzmq", "stdlib"])
def path(request, monkeypatch):
    monkeypatch.setenv("DEFOCUS_CLIENT", request.param)
    return request.param


@pytest.fixture
def here(running, path, monkeypatch):
    monkeypatch.setenv("DEFOCUS_RUNTIME_DIR", str(running.directory))
    return running


@pytest.fixture
def client(here):
    made = reach.client()
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
    reply = client.render(Job(image, LENS))
    composite = reply.planes["composite"]
    assert (composite.dtype, composite.channels) == (dtype, channels)
    assert all(reply.planes[name].channels == 1 for name in ("matte", "depth"))


def test_edited_maps_and_previews(client):
    image = picture(seed=1)
    matte = Plane(64, 48, 1, "u8", "linear", b"\xff" * (64 * 48))
    reply = client.render(Job(image, LENS, matte=matte, want=("composite",)))
    assert set(reply.planes) == {"composite"}


def test_a_wrong_value_is_refused_and_the_connection_lives_on(client):
    with pytest.raises(Refused) as caught:
        client.render(Job(picture(), {**LENS, "max_coc": -1.0}))
    assert caught.value.code == "bad_request"
    assert client.render(Job(picture(), LENS)).planes


@pytest.mark.parametrize("fault", ["oom@render", "crash@render", "corrupt@matte", "bug@encode"])
def test_engine_faults_are_typed(client, fault):
    with pytest.raises(Refused) as caught:
        client.render(Faulty(picture(seed=2), LENS, fault=fault))
    assert str(caught.value)
    assert client.render(Job(picture(), LENS)).planes


def test_cancel_frees_the_daemon(client):
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        client.render(Faulty(picture(seed=3), LENS, fault="slow@render"), stop=stop)
    assert time.monotonic() - began < 2.0
    wait_for(lambda: client.status()["running"] is None, 5, "the worker")


def test_a_killed_client_frees_the_daemon(client):
    code = (
        "from tests.gimp_plugin.test_real_daemon import Faulty, LENS, picture, reach\n"
        "reach.client().render(Faulty(picture(seed=4), LENS, fault='slow@render'))"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as doomed:
        wait_for(lambda: client.status()["running"] is not None, 20, "the job")
        doomed.kill()
    wait_for(lambda: client.status()["running"] is None, 5, "the worker")


def test_a_stale_token_is_refused(here, tmp_path, monkeypatch):
    fields = json.loads((here.directory / "connection.json").read_text())
    (tmp_path / "connection.json").write_text(json.dumps({**fields, "token": "stale"}))
    monkeypatch.setenv("DEFOCUS_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(Refused) as caught:
        reach.client()
    assert caught.value.code == "unauthorized"
    assert status.state() == {"up": False, "problem": str(caught.value), "client": ANY_CLIENT}


class _AnyClient:
    def __eq__(self, other):
        return other in {"pyzmq", "standard library"}

    __hash__ = None


ANY_CLIENT = _AnyClient()


@pytest.mark.skipif(os.name != "posix", reason="Windows knows no modes")
def test_a_folder_that_others_can_enter_is_refused_in_words_and_stays(path, monkeypatch, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)  # as /tmp
    command = [sys.executable, "-m", "daemon.cli.main", "daemon", "start"]
    (tmp_path / "launcher.json").write_text(json.dumps({"command": command}))
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(connection, "LAUNCHER", tmp_path / "launcher.json")
    monkeypatch.setenv("DEFOCUS_RUNTIME_DIR", str(shared))
    with pytest.raises(NoDaemon, match=r"started: other users can enter .* DEFOCUS_RUNTIME_DIR"):
        reach.client()
    assert shared.stat().st_mode & 0o7777 == 0o1777


def test_started_killed_and_started_again(path, monkeypatch, tmp_path):
    with sandbox() as place:
        for name, value in place.environment().items():
            monkeypatch.setenv(name, value)
        command = [sys.executable, "-m", "daemon.cli.main", "daemon", "start", "--engine", ENGINE]
        launcher = tmp_path / "launcher.json"
        launcher.write_text(json.dumps({"command": command}))
        monkeypatch.setattr(connection, "LAUNCHER", launcher)
        assert status.state()["up"] is False

        client = reach.client()
        assert client.render(Job(picture(), LENS)).planes
        pid = client.status()["pid"]
        threading.Timer(0.5, os.kill, (pid, signal.SIGKILL)).start()
        with pytest.raises(LinkLost, match="Try again"):
            client.render(Faulty(picture(seed=5), LENS, fault="slow@render"))
        client.close()

        client = reach.client()
        assert client.status()["pid"] != pid
        assert client.render(Job(picture(), LENS)).planes
        client.close()
        assert status.stop()
        wait_for(lambda: not status.state()["up"], 10, "the end of the daemon")
