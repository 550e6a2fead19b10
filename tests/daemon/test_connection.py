"""The runtime directory is private, the lock decides, and stale things are recognised."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest

from daemon import client as client_module
from daemon import connection
from daemon.cli.main import main
from daemon.client import Job, NotRunning
from daemon.faults.sandbox import wait_for


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_directory_and_file_are_for_their_owner_alone(running):
    assert mode(running.directory) == 0o700
    assert mode(running.directory / connection.FILE_NAME) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="Windows knows no modes")
@pytest.mark.parametrize("state", ["absent", "open", "closed"])
def test_the_usual_runtime_directory_is_made_and_closed(tmp_path, monkeypatch, state):
    monkeypatch.delenv("DEFOCUS_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(connection, "_system_runtime_dir", lambda: str(tmp_path / "up" / "defocus"))
    usual = tmp_path / "up" / "defocus"
    if state != "absent":
        usual.mkdir(parents=True)
        usual.chmod(0o755 if state == "open" else 0o700)
    assert connection.runtime_dir() == usual
    assert mode(usual) == 0o700


def test_a_named_runtime_directory_is_made_closed(in_sandbox, monkeypatch):
    named = in_sandbox.root / "another"
    monkeypatch.setenv("DEFOCUS_RUNTIME_DIR", str(named))
    assert connection.runtime_dir() == named
    assert mode(named) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="Windows knows no modes")
@pytest.mark.parametrize("open_to", [0o1777, 0o755, 0o710])
def test_a_named_folder_that_others_can_enter_is_refused_and_stays(in_sandbox, capsys, open_to):
    in_sandbox.directory.chmod(open_to)  # 1777: /tmp
    for words in ("status", "start", "stop", "run"):
        assert main(["daemon", words]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"defocus: other users can enter {in_sandbox.directory}: name a ")
        assert said.count("\n") == 1
    with pytest.raises(NotRunning, match=r"other users can enter .* DEFOCUS_RUNTIME_DIR"):
        client_module.connect()
    assert mode(in_sandbox.directory) == open_to
    assert not list(in_sandbox.directory.iterdir())


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="needs root to give it away")
def test_a_foreign_runtime_directory_is_refused(in_sandbox):
    os.chown(in_sandbox.directory, 12345, 12345)
    with pytest.raises(PermissionError, match="another user: name a folder of your own"):
        connection.runtime_dir()


def test_a_long_path_falls_back_to_loopback(tmp_path):
    deep = tmp_path / ("d" * 100)
    assert connection.endpoints(deep) == ("tcp://127.0.0.1:*", "tcp://127.0.0.1:*")


@pytest.mark.parametrize("options", [(), ("--tcp",)])
def test_a_daemon_in_a_long_path_works_over_tcp_and_tells_when_not_asked_to(
    place, picture, options
):
    deep, log = place.root / ("d" * 100), place.root / "log"
    deep.mkdir(mode=0o700)
    environment = {**place.environment(), "DEFOCUS_RUNTIME_DIR": str(deep)}
    words = [sys.executable, "-m", "daemon.cli.main", "daemon", "run", "--engine", place.engine]
    with log.open("wb") as out:
        process = subprocess.Popen([*words, *options], env=environment, stderr=out)
    try:
        wait_for(lambda: connection.find(deep) is not None, 20, "the daemon")
        where = connection.find(deep)
        assert where.work.startswith("tcp://127.0.0.1:")
        with client_module.Client(where) as client:
            assert client.render(Job(picture)).planes
        assert ("too long for ipc" in log.read_text()) == (not options)
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": 1}', b"\xff\xfe", b"null"])
def test_an_unusable_file_counts_as_none(tmp_path, content):
    path = tmp_path / connection.FILE_NAME
    path.write_bytes(content)
    assert connection.read(path) is None


def test_announced_folders_get_a_copy_and_lose_it(in_sandbox, tmp_path):
    plugin, gone = tmp_path / "plug-in", tmp_path / "gone"
    plugin.mkdir()
    config = in_sandbox.root / "config"
    config.mkdir()
    (config / "announce.json").write_text(json.dumps([str(plugin), str(gone)]))
    in_sandbox.start()
    assert connection.read(plugin / connection.FILE_NAME) == in_sandbox.where
    assert mode(plugin / connection.FILE_NAME) == 0o600
    in_sandbox.stop()
    assert not (plugin / connection.FILE_NAME).exists()


@pytest.mark.slow
def test_twenty_daemons_started_at_once_leave_exactly_one(place):
    processes = [place.launch() for _ in range(20)]
    try:
        wait_for(lambda: sum(p.poll() is None for p in processes) == 1, 60, "one survivor")
        survivor = next(p for p in processes if p.poll() is None)
        assert {p.returncode for p in processes if p is not survivor} == {3}
        assert place.where.pid == survivor.pid
        with place.client() as client:
            assert client.ping() < 5
    finally:
        for process in processes:
            process.terminate()
            process.wait(10)


def test_connect_starts_a_daemon_once_and_finds_it_again(in_sandbox):
    with pytest.raises(NotRunning):
        client_module.connect(start=False)
    with client_module.connect() as first, client_module.connect() as second:
        assert first.status().pid == second.status().pid
        first.shutdown(drain=False)
    wait_for(lambda: connection.find() is None, 5, "the end")


def test_a_daemon_that_cannot_start_says_why(in_sandbox):
    (in_sandbox.directory / "daemon.lock").mkdir()
    with pytest.raises(NotRunning, match="daemon did not start") as refused:
        client_module.connect()
    assert "defocus:" not in str(refused.value)
