"""The menu entry is missing, in a real GIMP, and the doctor brings it back."""

from __future__ import annotations

import os
import shutil

import pytest

from daemon.setup import gimp, packages
from daemon.setup.bootstrap import Bootstrap
from daemon.setup.environment import running
from daemon.setup.steps import Steps
from tests.gimp.conftest import Gimp, home_with_plugin


@pytest.fixture(scope="module")
def patient(root, tmp_path_factory):
    """GIMP in a home of its own, with the plug-in; no daemon is needed."""
    folder = tmp_path_factory.mktemp("doctor")
    made = Gimp(root, folder / "out", home_with_plugin(root, folder / "home"), folder / "run")
    made.out.mkdir()
    made.runtime.mkdir()
    return made


@pytest.fixture
def doctor(patient, tmp_path, monkeypatch):
    """The doctor, who sees only that home and takes everything but GIMP for healthy."""
    monkeypatch.setenv("HOME", str(patient.home))
    monkeypatch.setenv("DEFOCUS_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(packages, "fault", lambda _: "")
    monkeypatch.setattr(gimp, "has_python", lambda _: True)
    for name in ("_packages", "_check_weights", "_write_command"):
        monkeypatch.setattr(Bootstrap, name, lambda _: None)
    monkeypatch.setattr(Bootstrap, "call", lambda *_: 0)
    return lambda mend: Bootstrap(Steps(), environment=running()).doctor(mend=mend)


def registered(patient):
    patient.batch("registered.py")
    return patient.read("registered")


def moved(plugin):
    plugin.rename(plugin.with_name("gimp_plugin"))


def loose(plugin):
    shutil.copy(plugin / "bokeh.py", plugin.with_name("bokeh.py"))
    shutil.rmtree(plugin)


def not_executable(plugin):
    (plugin / "bokeh.py").chmod(0o644)


def old(plugin):
    (plugin / "procedures.py").write_text("from gimp_plugin import what_there_was_once\n")
    later = (plugin / "bokeh.py").stat().st_mtime + 10  # GIMP asks a changed plug-in again
    os.utime(plugin / "bokeh.py", (later, later))


def incomplete(plugin):
    (plugin / "daemon" / "light" / "parameters.py").unlink()
    later = (plugin / "bokeh.py").stat().st_mtime + 20
    os.utime(plugin / "bokeh.py", (later, later))


@pytest.mark.parametrize("root", ["trixie"], indirect=True, ids=["gimp-3.0"])
@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (moved, "wrong place"),
        (loose, "wrong place"),
        (not_executable, "not executable"),
        (old, "another version"),
        (incomplete, "is missing"),
    ],
)
def test_a_missing_menu_entry_comes_back(patient, doctor, capsys, harm, word):
    harm(patient.plugin)
    assert not registered(patient)
    assert doctor(mend=False) == 1
    assert word in capsys.readouterr().out
    assert doctor(mend=True) == 0, capsys.readouterr().out
    assert registered(patient)
