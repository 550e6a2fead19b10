"""The runtime directory is private, the lock decides, and stale things are recognised."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest

from daemon.cli.main import main
from daemon.client import client as client_module
from daemon.client.client import NotRunning, RenderRequest
from daemon.wire import curve_auth, discovery
from tests.reliability.sandbox import wait_for


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_directory_and_file_are_for_their_owner_alone(running):
    assert mode(running.directory) == 0o700
    assert mode(running.directory / discovery.FILE_NAME) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="Windows knows no modes")
@pytest.mark.parametrize("state", ["absent", "open", "closed"])
def test_the_usual_runtime_directory_is_made_and_closed(tmp_path, monkeypatch, state):
    monkeypatch.delenv("DEFOCUS_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(discovery, "_system_runtime_dir", lambda: str(tmp_path / "up" / "defocus"))
    usual = tmp_path / "up" / "defocus"
    if state != "absent":
        usual.mkdir(parents=True)
        usual.chmod(0o755 if state == "open" else 0o700)
    assert discovery.runtime_dir() == usual
    assert mode(usual) == 0o700


def test_a_named_runtime_directory_is_made_closed(in_sandbox, monkeypatch):
    named = in_sandbox.root / "another"
    monkeypatch.setenv("DEFOCUS_RUNTIME_DIR", str(named))
    assert discovery.runtime_dir() == named
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


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_link_leads_to_an_empty_folder_or_nowhere(in_sandbox, monkeypatch):
    target = in_sandbox.root / "precious"
    target.mkdir(mode=0o700)
    link = in_sandbox.root / "link"
    link.symlink_to(target)
    monkeypatch.setenv("DEFOCUS_RUNTIME_DIR", str(link))
    assert discovery.runtime_dir() == link
    for own in (discovery.FILE_NAME, "daemon.lock", "work.sock"):
        (target / own).touch()
    assert discovery.runtime_dir() == link  # the second start
    (target / "work.txt").touch()
    with pytest.raises(PermissionError, match="a link to a folder that is in use"):
        discovery.runtime_dir()


@pytest.mark.skipif(os.name != "posix", reason="Windows knows no modes")
def test_modes_do_not_depend_on_the_umask(in_sandbox):
    before = os.umask(0)
    try:
        curve_auth.allow("studio", "a" * 40)
        in_sandbox.start()
        with in_sandbox.client() as client:
            wait_for(lambda: client.status().worker == "idle", 20, "the worker")
    finally:
        os.umask(before)
    made = [in_sandbox.root / name for name in ("run", "logs", "config")]
    made += [path for folder in made for path in folder.rglob("*")]
    assert {path.name for path in made} >= {"daemon.log", "worker.log", "allowed.json", "keys"}
    assert [path for path in made if mode(path) & 0o077] == []


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="needs root to give it away")
def test_keys_in_another_users_folder_are_refused(in_sandbox):
    curve_auth.allow("studio", "a" * 40)
    os.chown(in_sandbox.root / "config", 12345, 12345)
    with pytest.raises(curve_auth.KeyProblem, match="belongs to another user"):
        curve_auth.allowed()


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="needs root to give it away")
def test_a_foreign_runtime_directory_is_refused(in_sandbox):
    os.chown(in_sandbox.directory, 12345, 12345)
    with pytest.raises(PermissionError, match="another user: name a folder of your own"):
        discovery.runtime_dir()


def test_a_long_path_falls_back_to_loopback(tmp_path):
    deep = tmp_path / ("d" * 100)
    assert discovery.endpoints(deep) == ("tcp://127.0.0.1:*", "tcp://127.0.0.1:*")


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
        wait_for(lambda: discovery.find(deep) is not None, 20, "the daemon")
        where = discovery.find(deep)
        assert where.work.startswith("tcp://127.0.0.1:")
        with client_module.Client(where) as client:
            assert client.render(RenderRequest(picture)).planes
        assert ("too long for ipc" in log.read_text()) == (not options)
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": 1}', b"\xff\xfe", b"null"])
def test_an_unusable_file_counts_as_none(tmp_path, content):
    path = tmp_path / discovery.FILE_NAME
    path.write_bytes(content)
    assert discovery.read(path) is None


def test_announced_folders_get_a_copy_and_lose_it(in_sandbox, tmp_path):
    plugin, gone = tmp_path / "plug-in", tmp_path / "gone"
    plugin.mkdir()
    config = in_sandbox.root / "config"
    config.mkdir()
    (config / "announce.json").write_text(json.dumps([str(plugin), str(gone)]))
    in_sandbox.start()
    assert discovery.read(plugin / discovery.FILE_NAME) == in_sandbox.where
    assert mode(plugin / discovery.FILE_NAME) == 0o600
    in_sandbox.stop()
    assert not (plugin / discovery.FILE_NAME).exists()


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
    wait_for(lambda: discovery.find() is None, 5, "the end")


def test_a_daemon_that_cannot_start_says_why(in_sandbox):
    (in_sandbox.directory / "daemon.lock").mkdir()
    with pytest.raises(NotRunning, match="daemon did not start") as refused:
        client_module.connect()
    assert "defocus:" not in str(refused.value)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="XDG's directory is Linux's")
@pytest.mark.parametrize("state", ["missing", "open", "a link", "private"])
def test_the_system_directory_is_used_only_when_it_is_there_and_private(
    tmp_path, monkeypatch, state
):
    monkeypatch.delenv("DEFOCUS_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(discovery.tempfile, "gettempdir", lambda: str(tmp_path))
    named, private = tmp_path / "xdg", discovery._is_private
    monkeypatch.setattr(
        discovery, "_is_private", lambda p: not str(p).startswith("/run/user") and private(p)
    )
    if state == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        named.symlink_to(tmp_path / "elsewhere")
    elif state != "missing":
        named.mkdir()
        named.chmod(0o755 if state == "open" else 0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(named))
    first = discovery.runtime_dir()
    assert first.parent == (named if state == "private" else tmp_path / f"runtime-{os.getuid()}")
    assert mode(first) == mode(first.parent) == 0o700
    assert named.exists() == (state != "missing")
    assert discovery.runtime_dir() == first  # what was made changes nothing


class TestAnEmptiedDirectory:
    def test_a_lost_connection_file_comes_back(self, running):
        path = running.directory / discovery.FILE_NAME
        before = path.read_bytes()
        path.unlink()
        wait_for(path.exists, 30, "the connection file")
        assert path.read_bytes() == before

    def test_a_daemon_that_nobody_finds_ends_and_spares_the_next_one(self, place, picture):
        first = place.launch()
        wait_for(lambda: discovery.find(place.directory) is not None, 60, "the daemon")
        for path in place.directory.iterdir():
            path.unlink()
        second = place.launch()
        try:
            wait_for(lambda: discovery.find(place.directory) is not None, 60, "the second daemon")
            wait_for(lambda: first.poll() is not None, 60, "the end of the first daemon")
            assert second.poll() is None
            with client_module.Client(discovery.find(place.directory)) as client:
                assert client.status().pid == second.pid
        finally:
            for process in (first, second):
                process.terminate()
                process.wait(10)
