"""The file of the user's own presets: what is kept, what is refused, and that nothing is lost."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from daemon.light import own_presets
from daemon.light.errors import PluginError
from daemon.light.parameters import PRESETS, Parameters, look_of
from daemon.wire.discovery import config_dir
from tests.light.test_parameters import everything

WARM = Parameters(f_number=1.4, aperture="hexagon", ring=0.2, grain=0.5, focus="point")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DEFOCUS_CONFIG_DIR", str(tmp_path / "config"))


@pytest.mark.parametrize("named", [True, False])
def test_the_file_is_where_the_daemon_has_its_settings(named, monkeypatch, tmp_path):
    monkeypatch.delenv("FLATPAK_ID", raising=False)
    if not named:
        monkeypatch.delenv("DEFOCUS_CONFIG_DIR")
        assert own_presets.path().parent == config_dir()
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert own_presets.path().parent == config_dir()


@pytest.mark.skipif(sys.platform != "linux", reason="Flatpak is Linux's")
def test_an_editor_in_a_flatpak_has_the_same_presets(monkeypatch, tmp_path):
    monkeypatch.delenv("DEFOCUS_CONFIG_DIR")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    outside = own_presets.path()
    monkeypatch.setenv("FLATPAK_ID", "org.gimp.GIMP")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "var/app"))
    assert own_presets.path() == outside


def test_what_is_saved_is_there_by_name():
    assert own_presets.load() == {}
    assert own_presets.save("  Hochzeit, wärmer ", WARM) == "Hochzeit, wärmer"
    own_presets.save("areas", Parameters(style="paper", bins=9))
    assert list(own_presets.load()) == ["Hochzeit, wärmer", "areas"]
    assert own_presets.load()["Hochzeit, wärmer"] == look_of(WARM)
    assert "grain" not in look_of(WARM)
    assert "focus" not in look_of(WARM)
    own_presets.save("areas", WARM)
    assert own_presets.load()["areas"] == look_of(WARM)
    own_presets.remove("areas")
    assert list(own_presets.load()) == ["Hochzeit, wärmer"]
    with pytest.raises(PluginError, match="no preset of your own called areas"):
        own_presets.remove("areas")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(everything)
def test_every_look_comes_back(parameters):
    own_presets.save("mine", parameters)
    assert own_presets.load() == {"mine": look_of(parameters)}


def test_what_is_left_out_by_hand_is_as_usual():
    write({"format": 1, "presets": {"fast": {"f_number": 1.0}, "nine": {"style": "paper"}}})
    found = own_presets.load()
    assert found == {"fast": {**PRESETS["natural"], "f_number": 1.0}, "nine": PRESETS["paper"]}


@pytest.mark.parametrize(
    "name", ["", "  ", "a" * 61, "a\nb", "dreamy", "Natural Portrait", "paper"]
)
def test_names_that_do_not_do_are_refused(name):
    with pytest.raises(PluginError):
        own_presets.save(name, WARM)
    assert not own_presets.path().exists()


DAMAGED = {
    "cut off": b'{"format": 1, "presets": {"mine"',
    "empty": b"",
    "binary": b"\xff\xfe\x00",
    "a list": b"[]",
    "no presets": b'{"format": 1}',
    "a later format": b'{"format": 2, "presets": {}}',
    "no settings": b'{"format": 1, "presets": {"mine": 3}}',
    "a misspelt setting": b'{"format": 1, "presets": {"mine": {"f-number": 2}}}',
    "out of range": b'{"format": 1, "presets": {"mine": {"f_number": 0}}}',
    "a damaged picture": b'{"format": 1, "presets": {"mine": {"aperture_picture": "AA"}}}',
    "another style's": b'{"format": 1, "presets": {"mine": {"style": "paper", "ring": 0}}}',
    "no style": b'{"format": 1, "presets": {"mine": {"style": []}}}',
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_told_of_and_left_as_it_is(content):
    own_presets.path().parent.mkdir()
    own_presets.path().write_bytes(content)
    for action in (
        own_presets.load,
        lambda: own_presets.save("other", WARM),
        lambda: own_presets.remove("mine"),
    ):
        with pytest.raises(PluginError, match=r"presets\.json is damaged .*left as it is"):
            action()
    assert own_presets.path().read_bytes() == content


def test_what_somebody_else_put_into_the_file_stays():
    write({"format": 1, "note": "for weddings", "presets": {"fast": {"f_number": 1.0}}})
    own_presets.save("mine", WARM)
    kept = json.loads(own_presets.path().read_text(encoding="utf-8"))
    assert kept["note"] == "for weddings"
    assert kept["presets"]["fast"] == {"f_number": 1.0}


def test_a_save_that_fails_leaves_the_file_and_nothing_beside_it(monkeypatch):
    own_presets.save("mine", WARM)
    before = own_presets.path().read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PluginError, match="No space left on device"):
        own_presets.save("other", WARM)
    assert own_presets.path().read_bytes() == before
    assert list(own_presets.path().parent.iterdir()) == [own_presets.path()]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_to_the_file_stays_one(tmp_path):
    own_presets.save("mine", WARM)
    kept = own_presets.path().rename(tmp_path / "elsewhere.json")
    own_presets.path().symlink_to(kept)
    own_presets.save("other", WARM)
    assert own_presets.path().is_symlink()
    assert set(json.loads(Path(kept).read_text(encoding="utf-8"))["presets"]) == {"mine", "other"}


def write(content):
    own_presets.path().parent.mkdir()
    own_presets.path().write_text(json.dumps(content), encoding="utf-8")
