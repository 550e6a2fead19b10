"""Which connection files an editor believes: those that nobody else can have written."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest

from daemon.light import discovery
from daemon.wire import discovery as the_daemons

root = pytest.mark.skipif(
    os.name != "posix" or os.getuid() != 0, reason="only root can give files away"
)
SOMEBODY = 54321


@pytest.fixture
def plugin(tmp_path):
    """The plug-in's folder."""
    return tmp_path / "plug-in"


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """No variables, a temporary folder of the test's own."""
    for name in ("DEFOCUS_RUNTIME_DIR", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)


def announce(folder, work="ipc:///work"):
    """Write a connection file as a daemon would."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fields = {"work": work, "control": "ipc:///control", "token": "t"}
    (folder / "connection.json").write_text(json.dumps(fields))
    return folder / "connection.json"


def found(plugin):
    return [each.work for each in discovery.known(plugin)]


def test_the_users_own_files_are_found_latest_first(plugin, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    os.utime(announce(tmp_path / "run" / "defocus", "old"), (1, 1))
    announce(plugin, "new")
    assert found(plugin) == ["new", "old"]


def test_a_plugin_folder_open_to_the_group_counts(plugin):
    announce(plugin).parent.chmod(0o775)  # made under the usual umask of Fedora
    assert found(plugin) == ["ipc:///work"]


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda file: os.chown(file, SOMEBODY, SOMEBODY), marks=root, id="file"),
        pytest.param(lambda file: os.chown(file.parent, SOMEBODY, -1), marks=root, id="folder"),
        pytest.param(lambda file: os.chown(file.parents[1], SOMEBODY, -1), marks=root, id="above"),
        pytest.param(lambda file: file.parent.chmod(0o770), id="open to the group"),
        pytest.param(lambda file: file.parent.chmod(0o702), id="open to all"),
    ],
)
@pytest.mark.parametrize("named", [False, True])
def test_a_file_that_somebody_else_may_have_written_is_not_believed(
    plugin, tmp_path, monkeypatch, harm, named
):
    file = announce(tmp_path / "run" / "defocus")
    where = ("DEFOCUS_RUNTIME_DIR", file.parent) if named else ("XDG_RUNTIME_DIR", tmp_path / "run")
    monkeypatch.setenv(where[0], str(where[1]))
    assert found(plugin) == ["ipc:///work"]
    harm(file)
    assert found(plugin) == []


@root
def test_a_trap_in_the_temporary_folder_is_not_even_opened(plugin, tmp_path):
    trap = tmp_path / "tmp" / f"runtime-{os.getuid()}" / "defocus"
    trap.mkdir(parents=True)
    os.mkfifo(trap / "connection.json")  # opening it would wait for ever
    os.chown(trap, SOMEBODY, -1)
    assert found(plugin) == []


@pytest.mark.skipif(os.name != "posix", reason="checks the folders of Linux")
@pytest.mark.parametrize("mode", [None, 0o700, 0o755])
def test_the_folder_is_the_one_the_daemon_chooses(plugin, tmp_path, monkeypatch, mode):
    if mode is not None:
        (tmp_path / "run").mkdir(mode=mode)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    chosen = Path(the_daemons._system_runtime_dir())
    assert chosen in discovery.folders(plugin)
    if mode == 0o700:
        assert not any(tmp_path / "tmp" in each.parents for each in discovery.folders(plugin))


def test_windows_knows_no_owners(plugin, tmp_path, monkeypatch):
    monkeypatch.setattr(discovery.sys, "platform", "win32")
    monkeypatch.delattr(os, "getuid", raising=False)
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    announce(tmp_path / "Temp" / "defocus")
    assert found(plugin) == ["ipc:///work"]
