"""The written protocol is the one that runs, and a client written from it works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from daemon import protocol_page
from daemon.connection import FILE_NAME
from daemon.faults.sandbox import sandbox

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "client.py"


def test_the_page_is_up_to_date():
    written = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert written == protocol_page.page(), "run: python -m daemon.protocol_page"


def test_every_field_has_a_meaning():
    tables = [line for line in protocol_page.page().splitlines() if line.startswith("| `")]
    silent = [line for line in tables if not line.removesuffix("|").rsplit("|", 1)[1].strip()]
    assert silent == []


def test_the_example_client_is_short_and_works(tmp_path):
    assert len(EXAMPLE.read_text().splitlines()) <= 60
    pixels = np.random.default_rng(3).integers(0, 256, (30, 40, 3), np.uint8)
    (tmp_path / "in.ppm").write_bytes(b"P6\n40 30\n255\n" + pixels.tobytes())
    for transport in ((), ("--tcp",)):
        with sandbox("daemon.faults.engine", *transport) as place:
            place.start()
            subprocess.run(
                [sys.executable, EXAMPLE, place.directory / FILE_NAME, "in.ppm", "out.ppm"],
                cwd=tmp_path,
                timeout=30,
                check=True,
            )
        out = (tmp_path / "out.ppm").read_bytes()
        assert out == b"P6 40 30 255\n" + np.invert(pixels).tobytes()


def test_the_page_goes_where_it_is_told_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in (["--help"], ["--nonsense"]):
        monkeypatch.setattr(sys, "argv", ["page", *words])
        with pytest.raises(SystemExit):
            protocol_page.main()
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(sys, "argv", ["page", "page.md"])
    protocol_page.main()
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == protocol_page.page()
