"""An upgrade replaces the daemon: same version, other files; its work is finished first."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading

import pytest

from daemon.client import client as library
from daemon.client import launch, upgrade
from daemon.client.request import RenderRequest
from daemon.light import connect, discovery, program
from daemon.light.editor import Editor
from daemon.runtime import child_process
from daemon.runtime.child_process import own_module
from daemon.wire.discovery import find
from tests.reliability.sandbox import wait_for


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """The program of yesterday: the same version, one file differs."""
    folder = tmp_path_factory.mktemp("earlier")
    for name in ("daemon", "bokeh_core", "tests/reliability"):
        code = shutil.ignore_patterns("__pycache__", "*.safetensors", "*.png")
        shutil.copytree(program.ROOT / name, folder / name, ignore=code)
    with (folder / "daemon/server/heap.py").open("a") as changed:
        changed.write("# as it was yesterday\n")
    return folder


@pytest.fixture
def outdated(place, earlier):
    """A running daemon of that program; ended by whoever replaces it."""
    entry = earlier / child_process.ENTRY.relative_to(program.ROOT)
    words = ("daemon.cli.main", "daemon", "run", "--log-to-file", "--engine", place.engine)
    place.process = subprocess.Popen(
        child_process.script(entry, *words), env=place.environment(), stderr=subprocess.DEVNULL
    )
    wait_for(lambda: find(place.directory) is not None, 20, "the daemon")
    old = place.where
    assert old.program not in ("", program.digest())
    yield place
    place.stop()
    now = find(place.directory)
    if now is not None and now.pid != old.pid:
        with library.Client(now) as client:
            client.shutdown()
        wait_for(lambda: not now.alive, 10, "the end of the new daemon")


@pytest.fixture(autouse=True)
def in_place(in_sandbox):
    """This process lives in the sandbox."""


def test_the_digest_is_that_of_the_files(tmp_path):
    for part in program.PARTS:
        (tmp_path / part).mkdir(parents=True)
    (tmp_path / "bokeh_core" / "a.py").write_text("1")
    before = program.digest.__wrapped__(tmp_path)
    (tmp_path / "bokeh_core" / "a.py").write_text("2")
    changed = program.digest.__wrapped__(tmp_path)
    (tmp_path / "bokeh_core" / "a.py").rename(tmp_path / "bokeh_core" / "b.py")
    renamed = program.digest.__wrapped__(tmp_path)
    assert len({before, changed, renamed}) == 3
    assert program.digest.__wrapped__(tmp_path / "nowhere") == ""


def test_a_daemon_tells_the_program_and_the_words_it_was_started_with(place):
    place.options = ("--cache-mb", "7")
    place.start()
    assert place.where.program == program.digest()
    assert launch.is_current(place.where)
    assert place.where.options[:2] == ("--cache-mb", "7")


def test_a_client_replaces_it_when_its_work_is_done(outdated, picture):
    old, said, finished = outdated.where, [], []

    def work():
        with library.Client(old) as client:
            request = RenderRequest(picture, depth_model="slow@render")
            finished.append(client.render(request, progress=lambda *_: began.set()))

    began = threading.Event()
    worker = threading.Thread(target=work)
    worker.start()
    assert began.wait(20)
    with library.connect(start=False, say=said.append) as client:
        assert client.ping() > 0
    worker.join(20)
    assert finished, "what the old one had accepted was answered"
    assert said == [launch.OUTDATED]
    new = find(outdated.directory)
    assert new.pid != old.pid
    assert launch.is_current(new)
    assert new.options == old.options, "it is started alike"


def defocus(place, *words):
    done = subprocess.run(
        own_module("daemon.cli.main", *words),
        env=place.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_start_and_status_say_so(outdated):
    said = defocus(outdated, "daemon", "status")
    assert "program  another version: `defocus daemon start` replaces it" in said
    said = defocus(outdated, "daemon", "start")
    assert said[0] == launch.OUTDATED
    assert said[1].startswith("daemon started")
    assert "already running" in defocus(outdated, "daemon", "start")[0]


def test_one_that_speaks_another_language_is_ended(place, monkeypatch):
    def unreadable(*_, **__):
        raise library.ConnectionLost("unreadable message")

    place.start()
    old, said = place.where, []
    monkeypatch.setattr(library.Client, "shutdown", unreadable)
    upgrade.retire(old, said.append)
    assert said == [launch.OUTDATED]
    wait_for(lambda: not old.alive, 10, "its end")


def test_an_editor_replaces_it(outdated, tmp_path):
    command = own_module("daemon.cli.main", "daemon", "start")
    record = {"command": command, "root": str(program.ROOT)}
    (tmp_path / "launcher.json").write_text(json.dumps(record))
    editor, said = Editor("GIMP", tmp_path), []
    old = outdated.where
    assert connect.running(editor) is None
    client = connect.connect(editor, lambda stage, _: said.append(stage))
    client.close()
    assert said == ["replacing"]
    assert find(outdated.directory).pid != old.pid
    assert [place.program for place in discovery.known(tmp_path)] == [program.digest()]


def test_an_editor_that_cannot_see_its_program_takes_any(outdated, tmp_path):
    editor = Editor("GIMP", tmp_path)
    client = connect.running(editor)
    assert client is not None
    client.close()
