"""SIGKILL at any moment: nothing is lost, half written, or done again after its line."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

PICTURES, KILLS = 60, 10


@pytest.mark.slow
def test_killed_ten_times_and_resumed(tmp_path, shoot, lines):
    folder, out, log = shoot(PICTURES), tmp_path / "out", tmp_path / "log"
    command = [sys.executable, "-m", "tests.daemon.batch.victim", folder, out, log]
    rng = random.Random(1)
    for _ in range(KILLS):
        settled = {line["key"] for line in lines(out)} if out.exists() else set()
        begun = _length(log)
        _kill_after(command, out, rng.randint(1, 5), rng.uniform(0, 0.03))
        again = {Path(line.split()[0]).stem for line in _lines_after(log, begun)}
        assert not again & {Path(key).stem for key in settled}
    assert subprocess.run(command, check=False).returncode == 0
    entries = lines(out)
    assert len(entries) == len({entry["key"] for entry in entries}) == PICTURES
    for entry in entries:
        result = out / entry["outputs"]["twice"]["path"]
        assert result.read_text() == Path(entry["source"]).read_text() * 2
    left = {path.name for path in out.rglob("*") if path.is_file()}
    expected = {f"p{n:02}_twice.txt" for n in range(PICTURES)}
    assert left - expected <= {"defocus-batch.jsonl", ".defocus-batch.lock"}


def _kill_after(command, out, more, seconds):
    """Start the batch, and kill it when its journal has some more lines."""
    journal = out / "defocus-batch.jsonl"
    before = _length(journal)
    with subprocess.Popen(command) as process:
        deadline = time.monotonic() + 60
        while _length(journal) < before + more and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(seconds)
        process.kill()


def _length(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _lines_after(path, count):
    return path.read_text().splitlines()[count:] if path.exists() else []
