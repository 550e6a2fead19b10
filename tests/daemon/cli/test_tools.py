"""demo, doctor and bench, as a user runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bokeh_core import picture, samples
from daemon.cli import bench_pipeline
from daemon.cli.main import main
from daemon.setup import demo_files

ROOT = Path(__file__).parents[3]


@pytest.fixture
def defocus(tmp_path):
    environment = {
        **os.environ,
        "DEFOCUS_RUNTIME_DIR": str(tmp_path / "run"),
        "DEFOCUS_LOG_DIR": str(tmp_path / "logs"),
        "DEFOCUS_CONFIG_DIR": str(tmp_path / "config"),
        "PYTHONPATH": str(ROOT),
    }

    def run(*words):
        command = [sys.executable, "-m", "daemon.cli.main", *words]
        return subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    return run


def test_demo_writes_what_it_prints(defocus, tmp_path):
    done = defocus("demo")
    assert done.returncode == 0, done.stderr
    paths = [Path(line) for line in done.stdout.splitlines()]
    folder = tmp_path / "demo-output"
    names = ("mask", "depth", "composite", "before-after")
    assert paths == [folder / f"{name}.png" for name in names]
    assert demo_files.changed(folder) == []
    source = picture.read(samples.ASTRONAUT).pixels
    out = picture.read(folder / "composite.png").pixels
    mask = picture.read_map(folder / "mask.png", (512, 512))
    face, wall = (slice(60, 180), slice(190, 270)), (slice(20, 120), slice(80, 140))
    assert mask[face].mean() > 0.95
    assert mask[wall].mean() < 0.2
    np.testing.assert_array_equal(out[face][20:-20, 20:-20], source[face][20:-20, 20:-20])
    flag = (slice(20, 100), slice(0, 60))  # stars and stripes are far away: their edges must soften
    assert _sharpness(out[flag]) < 0.6 * _sharpness(source[flag])


def test_a_demo_replaces_no_picture_that_it_did_not_make(defocus, tmp_path):
    (tmp_path / "mask.png").write_bytes(b"mine")
    done = defocus("demo", "--out", ".")
    assert done.returncode == 1
    assert "mask.png: is not as the demo makes it, and stays" in done.stderr
    assert [path.name for path in tmp_path.glob("*.png")] == ["mask.png"]


def test_a_demo_with_a_wrong_f_number_is_wrong_use(defocus, tmp_path):
    done = defocus("demo", "--f-number", "-1")
    assert done.returncode == 2
    assert "f_number must be greater than 0" in done.stderr
    assert list(tmp_path.iterdir()) == []


def _sharpness(pixels):
    return np.abs(np.diff(pixels.astype(float), axis=1)).mean()


def test_doctor_finds_a_healthy_environment(defocus):
    done = defocus("doctor", "--inside")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert all(line.startswith("[ok]") for line in lines)
    assert any("weights: portrait" in line for line in lines)


def test_bench_measures_cold_warm_and_second_render(defocus):
    done = defocus("bench", "pipeline", "--megapixels", "0.1", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    steps = {step["name"]: step for step in facts["steps"]}
    assert list(steps) == ["cold", "warm", "second"]
    assert "networks" in steps["warm"]["stages"]
    assert "networks" not in steps["second"]["stages"]  # the point of the cache
    assert all(step["seconds"] > 0 and step["peak_mb"] > 50 for step in facts["steps"])
    assert facts["machine"]["torch"]


def test_bench_leaves_the_daemon_of_another_machine_alone(monkeypatch):
    def measure(*_):
        assert "DEFOCUS_REMOTE" not in os.environ
        return []

    monkeypatch.setattr(bench_pipeline, "_measure", measure)
    monkeypatch.setenv("DEFOCUS_RUNTIME_DIR", "")
    monkeypatch.setenv("DEFOCUS_REMOTE", "studio:5858")
    assert main(["bench", "pipeline"]) == 0


def test_options_of_the_default_target_need_no_target(monkeypatch, capsys):
    monkeypatch.setattr(bench_pipeline, "_measure", lambda *_: [])
    monkeypatch.setenv("DEFOCUS_RUNTIME_DIR", "")
    assert main(["bench", "--json", "--megapixels", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == []


@pytest.mark.parametrize("target", ["pipeline", "render"])
def test_every_bench_target_explains_itself(defocus, target):
    done = defocus("bench", target, "--help")
    assert done.returncode == 0, done.stderr
    assert f"defocus bench {target}" in done.stdout


@pytest.mark.slow
def test_the_selftest_keeps_every_promise(defocus):
    done = defocus("selftest")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ok"] * 5
