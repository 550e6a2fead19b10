"""The script for programs that hand a file to an external editor and take it back changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "examples/external_editor.sh"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="a shell script")]


@pytest.fixture
def photo(tmp_path):
    """The sample portrait, small, in a folder with a space in its name."""
    folder = tmp_path / "my photos"
    folder.mkdir()
    with Image.open(ROOT / "bokeh_core/samples/astronaut.png") as picture:
        picture.convert("RGB").resize((96, 96)).save(folder / "a.tif")
    return folder / "a.tif"


def run(photo, command, *options):
    env = {**os.environ, "DEFOCUS": str(command), "DEFOCUS_DAEMON": "0"}
    words = ["/bin/sh", SCRIPT, photo, *options]
    return subprocess.run(words, env=env, capture_output=True, text=True, check=False)


def test_the_result_takes_the_place_of_the_file(photo, tmp_path):
    command = tmp_path / "defocus"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m daemon.cli.main "$@"\n')
    command.chmod(0o755)
    before = np.asarray(Image.open(photo))
    done = run(photo, command, "--f-number", "1.2")
    assert done.returncode == 0, done.stderr
    with Image.open(photo) as picture:
        assert picture.format == "TIFF"
        assert not np.array_equal(np.asarray(picture), before)
    assert [path.name for path in photo.parent.iterdir()] == ["a.tif"]


def test_a_failure_leaves_the_file_as_it_was(photo):
    before = photo.read_bytes()
    assert run(photo, shutil.which("false")).returncode != 0
    assert photo.read_bytes() == before
    assert [path.name for path in photo.parent.iterdir()] == ["a.tif"]


def test_without_a_file_it_says_how_it_is_called():
    done = subprocess.run(["/bin/sh", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "external_editor.sh FILE [OPTION ...]" in done.stderr
