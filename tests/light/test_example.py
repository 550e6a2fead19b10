"""The example of the light client, as somebody would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tests.fakes.daemon import FakeDaemon, composite, maps

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples/light_client.py"


def run(runtime, *words):
    env = {"DEFOCUS_RUNTIME_DIR": str(runtime), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, SCRIPT, *words]
    return subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )


def test_it_blurs_a_picture_and_says_what_is_wrong(tmp_path):
    photo = np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(photo).save(tmp_path / "a.ppm")
    (tmp_path / "run").mkdir()
    words = (tmp_path / "a.ppm", tmp_path / "b.ppm", "dreamy")
    with FakeDaemon(tmp_path / "run") as daemon:
        done = run(daemon.directory, *words)
        assert done.returncode == 0, done.stderr
        (asked,) = [each for each in daemon.heard if each["type"] == "render"]
    with Image.open(tmp_path / "b.ppm") as made:
        blurred = np.asarray(made)
    strength = asked["lens"]["max_coc"]
    assert np.array_equal(blurred, composite(photo, maps(60, 40)[0], strength))
    done = run(tmp_path / "run", *words)
    assert done.returncode == 1
    assert "daemon is not running" in done.stderr
