"""An editor's window sets what the command line sets."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from daemon.light.editor import Editor
from daemon.light.errors import NoDaemon
from daemon.light.settings import Settings
from daemon.runtime.child_process import own_module

linux = pytest.mark.skipif(sys.platform != "linux", reason="systemd")


@pytest.fixture
def editor(tmp_path, monkeypatch):
    command = own_module("daemon.cli.main", "daemon", "start")
    (tmp_path / "launcher.json").write_text(json.dumps({"command": list(command)}))
    monkeypatch.setenv("DEFOCUS_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    return Editor("GIMP", tmp_path)


def systemctl(folder, status):
    program = folder / "systemctl"
    program.write_text(f"#!/bin/sh\necho refused >&2\nexit {status}\n")
    program.chmod(0o755)


def test_what_is_set_is_read_again(editor):
    held = Settings.read(editor)
    assert held == Settings("auto", 2048, 900.0, at_login=False)
    chosen = replace(held, device="cpu", cache_mb=512, idle=float("inf"))
    chosen.write(editor)
    assert Settings.read(editor) == chosen


@linux
def test_it_starts_with_the_session_or_not(editor, tmp_path):
    systemctl(tmp_path, 0)
    held = Settings.read(editor)
    for at_login in (True, False):
        replace(held, at_login=at_login).write(editor)
        assert Settings.read(editor).at_login == at_login
    assert not (tmp_path / "config").exists(), "nothing else was set"


@linux
def test_why_it_cannot_is_told(editor, tmp_path):
    systemctl(tmp_path, 1)
    with pytest.raises(NoDaemon, match=r"refused\. Have your desktop run"):
        replace(Settings.read(editor), at_login=True, cache_mb=64).write(editor)
    assert Settings.read(editor).cache_mb == 64, "the rest holds"


@pytest.mark.parametrize("answer", ["", "{}", "[]", '{"device": "cpu", "cache_mb": "x"}'])
def test_an_answer_that_is_none_is_told(editor, tmp_path, answer):
    program = tmp_path / "defocus"
    program.write_text(f"#!/bin/sh\necho '{answer}'\n")
    program.chmod(0o755)
    (tmp_path / "launcher.json").write_text(json.dumps({"command": [str(program), "start"]}))
    with pytest.raises(NoDaemon, match="did not tell its settings"):
        Settings.read(editor)
