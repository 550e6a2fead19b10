"""Settings that hold however the daemon is started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daemon.cli import kept
from daemon.cli.main import main
from daemon.runtime import log
from daemon.server import server
from daemon.server.settings import Settings
from daemon.setup import service


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The user's settings are the test's own."""
    monkeypatch.setenv("DEFOCUS_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "config"


@pytest.fixture
def started(monkeypatch):
    """Start a daemon with these words; gives the settings it would serve with."""
    seen = []
    monkeypatch.setattr(server, "serve", seen.append)
    monkeypatch.setattr(log, "to_stderr", lambda: None)

    def run(*words):
        assert main(["daemon", "run", *words]) == 0
        return seen[-1]

    return run


def test_the_defaults_are_the_daemons():
    assert (kept.Kept().cache_mb << 20, kept.Kept().idle) == (
        Settings().cache_bytes,
        Settings().idle_s,
    )


def test_what_is_set_is_shown_and_kept(folder, capsys):
    assert main(["daemon", "settings", "--device", "cpu", "--cache-mb", "64"]) == 0
    assert "next start" in capsys.readouterr().out
    assert json.loads((folder / "daemon.json").read_text()) == {"device": "cpu", "cache_mb": 64}
    assert main(["daemon", "settings", "--device", "auto", "--idle", "inf"]) == 0
    assert kept.read() == kept.Kept(cache_mb=64, idle=float("inf"))
    capsys.readouterr()
    assert main(["daemon", "settings"]) == 0
    assert capsys.readouterr().out.split() == ["device", "auto", "cache_mb", "64", "idle", "inf"]
    assert main(["daemon", "settings", "--reset", "--idle", "60"]) == 0
    assert kept.read() == kept.Kept(idle=60.0)


def test_a_start_takes_what_is_kept_unless_told_otherwise(started):
    assert started().device is None
    kept.write(kept.Kept("cpu", 64, 60.0))
    held = started()
    assert (held.device, held.cache_bytes, held.idle_s) == ("cpu", 64 << 20, 60.0)
    assert held.options == (), "a successor reads the file anew"
    told = started("--device", "auto", "--cache-mb", "0", "--idle", "5")
    assert (told.device, told.cache_bytes, told.idle_s) == (None, 0, 5.0)


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"device": "toaster"}', '{"cache_mb": -1}', '{"idle": null}', '{"x": 1}'],
)
def test_a_file_that_cannot_be_is_told_in_one_line(folder, content, capsys):
    folder.mkdir()
    (folder / "daemon.json").write_text(content)
    for words in (["settings"], ["settings", "--idle", "3"], ["run"]):
        assert main(["daemon", *words]) == 1
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "daemon.json" in said
    assert main(["daemon", "settings", "--reset"]) == 0
    assert kept.read() == kept.Kept()


def test_a_file_that_cannot_be_read_is_not_to_be_made_anew(folder, capsys):
    (folder / "daemon.json").mkdir(parents=True)
    assert main(["daemon", "settings"]) == 1
    said = capsys.readouterr().err
    assert "Is a directory" in said
    assert "--reset" not in said


def test_programs_read_whether_it_starts_with_the_session(capsys):
    def at_login():
        assert main(["daemon", "settings", "--json"]) == 0
        return json.loads(capsys.readouterr().out)["at_login"]

    unit = service.service().path
    if unit is None:
        pytest.skip("a service without a file")
    assert not at_login()
    unit.parent.mkdir(parents=True)
    unit.touch()
    assert at_login()


def test_without_a_file_the_service_manager_is_asked():
    task = service.service("win32", Path("C:/"), ("python", "run"))
    assert task.ask[:2] == ("schtasks", "/Query")
    assert not service.there(task), "there is no such program here"
