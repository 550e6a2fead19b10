"""What cannot be done is said in one message with the next step, and the image stays as it was."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time

import psutil
import pytest

from daemon.light import status
from gimp_plugin.editor import GIMP
from tests.fakes.daemon import FakeDaemon
from tests.gimp.conftest import Gimp


@pytest.fixture(scope="module")
def facts(root, home, tmp_path_factory):
    """All unfit layers, tried in one GIMP."""
    runtime = tmp_path_factory.mktemp("fake")
    gimp = Gimp(root, tmp_path_factory.mktemp("out"), home, runtime)
    with FakeDaemon(runtime):
        gimp.batch("refusals.py")
    return gimp.read("facts")


@pytest.mark.parametrize(
    ("case", "advice"),
    [
        ("indexed", "Choose Image > Mode > RGB first"),
        ("none", "Select the photo's layer"),
        ("several", "2 are selected. Select only"),
        ("group", "A layer group is active"),
        ("channel", "A channel is active"),
        ("empty", "is empty"),
        ("small", "has only 8 x 8 pixels"),
        ("rerender", "is in no Bokeh group"),
        ("focus-here", "Draw a small selection"),
    ],
)
def test_unfit_layers(facts, case, advice):
    assert advice in facts[case]
    assert facts[f"{case} untouched"]


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        ("absent", "Run `python3 install.py`"),
        ("vanish", "Try again: the daemon is started anew"),
        ("busy", "Told to fail. Do."),
    ],
)
def test_daemon_faults(lone_gimp, fault, advice):
    lone_gimp.env = {"DEFOCUS_TEST_FAULT": fault}
    with contextlib.nullcontext() if fault == "absent" else FakeDaemon(lone_gimp.runtime, fault):
        lone_gimp.batch("refusals.py")
    facts = lone_gimp.read("facts")
    assert advice in facts["fault"]
    assert "Traceback" not in facts["fault"]
    assert facts["fault untouched"]


def test_the_plug_in_starts_the_daemon_with_the_recorded_command(lone_gimp):
    wanted = lone_gimp.runtime / "wanted"
    launcher = lone_gimp.plugin / "launcher.json"
    # what starts is outside of GIMP's root: the command leaves a wish, this test fulfils it
    launcher.write_text(json.dumps({"command": ["touch", str(wanted)]}))
    lone_gimp.env = {"DEFOCUS_TEST_FAULT": "none"}
    running = threading.Thread(target=lone_gimp.batch, args=("refusals.py",))
    running.start()
    try:
        while not wanted.exists() and running.is_alive():
            time.sleep(0.05)
        assert wanted.exists(), "the recorded command was not run"
        with FakeDaemon(lone_gimp.runtime):
            running.join()
    finally:
        launcher.unlink()
        running.join()
    assert lone_gimp.read("facts")["fault"] == "no error"


def test_a_killed_plug_in_frees_the_daemon(root, home, daemon, tmp_path):
    gimp = Gimp(root, tmp_path, home, daemon, {"DEFOCUS_TEST_SIDE": "1500"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEFOCUS_RUNTIME_DIR", str(daemon))
        running = threading.Thread(target=gimp.batch, args=("killed.py",))
        running.start()
        until = time.monotonic() + 60
        while status.state(GIMP).fields.get("running") is None and time.monotonic() < until:
            time.sleep(0.05)
        job = status.state(GIMP).fields.get("running")
        assert job is not None, "no job was started"
        os.kill(plug_in_process(tmp_path), signal.SIGKILL)
        killed = time.monotonic()
        while status.state(GIMP).fields.get("running") == job and time.monotonic() < killed + 10:
            time.sleep(0.05)
        took = time.monotonic() - killed
        running.join()
    assert took < 5, f"the daemon worked on for {took:.1f} s"
    assert gimp.read("facts")["untouched"]


def plug_in_process(out):
    """Find the plug-in that runs with this test's output folder in its environment."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            mine = process.environ().get("DEFOCUS_TEST_OUT") == str(out)
            if mine and any(word.endswith("plug-ins/bokeh/bokeh.py") for word in process.cmdline()):
                return process.pid
    raise AssertionError("the plug-in does not run")
