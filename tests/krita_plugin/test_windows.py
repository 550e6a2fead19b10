"""The dialog and the docker under the PyQt of Krita 5 and that of Krita 6, without a Krita.

A small stand-in for Krita's module and a fake daemon do what they ask for; Qt itself is real.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from daemon.light.aperture_picture import kernel_of
from daemon.setup import krita
from daemon.setup.environment import running
from daemon.setup.places import Places
from tests.fakes.daemon import FakeDaemon

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "bokeh_core/samples/astronaut.png"


@pytest.fixture(scope="module", params=["PyQt5", "PyQt6"])
def facts(request, tmp_path_factory):
    """What was seen in one afternoon of a German."""
    probe = [sys.executable, "-c", f"from {request.param} import QtWidgets, QtTest"]
    found = subprocess.run(probe, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"no {request.param} here: {found.stderr.strip().splitlines()[-1]}")
    home, run = (tmp_path_factory.mktemp(name) for name in ("home", "run"))
    (home / ".local/share/krita").mkdir(parents=True)
    for plugin in krita.plugins(Places("linux", home, {}), running()):
        plugin.copy()
    env = {
        **{name: each for name, each in os.environ.items() if not name.startswith(("LC_", "XDG_"))},
        "HOME": str(home),
        "LANG": "de_DE.UTF-8",
        "LANGUAGE": "de",
        "DEFOCUS_CONFIG_DIR": str(home / "config"),
        "DEFOCUS_RUNTIME_DIR": str(run),
        "DEFOCUS_TEST_QT": request.param,
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_RUNTIME_DIR": str(run),
    }
    script = [sys.executable, HERE / "afternoon.py", plugin.target.parent, SAMPLE]
    with FakeDaemon(run):
        done = subprocess.run(
            script, env=env, capture_output=True, text=True, check=False, timeout=300
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout)


def test_the_menu_speaks_the_users_language(facts):
    assert facts["menu"] == {
        "defocus_bokeh": "Bokeh...",
        "defocus_rerender": "Bokeh: Wieder rendern",
        "defocus_focus_here": "Bokeh: Schärfe hierher setzen",
        "defocus_select_subject": "Bokeh: Subjekt auswählen",
        "defocus_depth_map": "Bokeh: Tiefenbild",
        "defocus_settings": "Bokeh: Status und Einstellungen …",
    }


def test_the_dialog_speaks_it_too(facts):
    assert facts["views"] == ["Ergebnis", "Original", "Maske", "Tiefe"]
    assert "&Vorgabe" in facts["labels"]
    assert not [text for text in facts["labels"] if "_" in text], "marks of another toolkit"


def test_every_view_shows_another_picture(facts):
    assert facts["pictures"] == 4


def test_a_click_in_the_preview_moves_the_focus(facts):
    assert facts["focus"] == ["point", pytest.approx(0.25, abs=0.01)]


def test_presets_are_saved_changed_and_deleted(facts):
    fastest, said, saved, left = facts["presets"]
    assert fastest == pytest.approx(0.7)
    assert said == "Ulla, geändert"
    assert (saved, left) == (["Ulla"], [])


def test_a_picture_is_the_aperture_and_stays_with_the_group(facts):
    unreadable, black, nothing, text, greyed, words = facts["aperture"]
    assert unreadable.endswith("none.png lässt sich nicht als Bild lesen.")
    assert "kein Licht" in black
    assert nothing == ""
    rows = np.array(kernel_of(text))
    half = len(rows) // 2
    assert rows.shape == (len(rows), len(rows))
    lit = rows.mean(axis=1) > 128
    assert lit.sum() == pytest.approx(half, abs=2), "a bar, twice as wide as high"
    assert lit[half - 1 : half + 1].all(), "in the middle"
    assert {"aperture", "curvature", "ring"} <= set(greyed)
    assert words == "Blendenb&ild..."
    assert facts["aperture shown"]
    assert (facts["aperture removed"], facts["aperture kept"]) == ("", text)


def test_ok_puts_the_layers_above_the_photo(facts):
    assert facts["made"] == ["photo", ["Bokeh", ["Depth", "Mask", "Composite"]]]
    assert facts["changed"]


def test_the_docker_renders_the_group_again(facts):
    assert facts["docker"] == ["Aktive Ebene nehmen", "Rendern", "Abbrechen"]
    assert facts["again"] == facts["made"]


def test_the_status_window_asks_the_daemon(facts):
    text, can_be_stopped = facts["status"]
    assert "`defocus doctor` in ein Terminal" in text
    assert can_be_stopped


def test_nothing_is_open_in_the_end_and_what_cannot_be_done_was_said(facts):
    assert facts["left"] == ["QMainWindow"]
    assert "kein Bild geöffnet" in facts["nothing open"]
