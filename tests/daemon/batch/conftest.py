"""Made-up pictures, whose content only matters to the work of `works.py`."""

from __future__ import annotations

import json
from multiprocessing import resource_tracker

import pytest


@pytest.fixture
def shoot(tmp_path):
    """Make a folder of pictures: `shoot(count, name="kill")` puts words into one of them."""

    def make(count, **words):
        for number in range(count):
            path = tmp_path / "shoot" / f"part{number % 3}" / f"p{number:02}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{path.stem} {words.get(path.stem, '')}")
        return tmp_path / "shoot"

    return make


@pytest.fixture
def lines():
    """Read a journal's lines about pictures."""

    def read(out):
        text = (out / "defocus-batch.jsonl").read_text()
        found = [json.loads(line) for line in text.splitlines()]
        return [line for line in found if line["line"] == "picture"]

    return read


@pytest.fixture(autouse=True, scope="session")
def spawning_keeps_a_process():
    """Start what multiprocessing starts at the first spawn, and keeps for the process."""
    resource_tracker.ensure_running()
