"""The written protocol is the one that runs, and a client written from it works."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from daemon.runtime import child_process
from daemon.wire.discovery import FILE_NAME
from tests.protocol import page, schema
from tests.reliability.sandbox import sandbox

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "client.py"
PPM_HEADER = b"P6 # made by\n# somebody\n40\n# rows\n30 255\n"
PACKAGES = ("zeromq@6", "@msgpack/msgpack@3")


def test_the_page_is_up_to_date():
    written = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert written == page.page(), "run: python -m tests.protocol.page"


def test_the_schema_is_up_to_date():
    written = (ROOT / schema.PLACE).read_text(encoding="utf-8")
    assert written == schema.text(), "run: python -m tests.protocol.page"


def test_every_example_is_json():
    blocks = re.findall(r"```json\n(.*?)```", page.page(), flags=re.DOTALL)
    shown = [json.loads(block) for block in blocks]
    assert len(shown) == 2 + len(page.CLIENT) + len(page.SERVER)


def test_every_field_has_a_meaning():
    tables = [line for line in page.page().splitlines() if line.startswith("| `")]
    silent = [line for line in tables if not line.removesuffix("|").rsplit("|", 1)[1].strip()]
    assert silent == []


def test_the_example_client_works(tmp_path):
    pixels = np.random.default_rng(3).integers(0, 256, (30, 40, 3), np.uint8)
    (tmp_path / "in.ppm").write_bytes(PPM_HEADER + pixels.tobytes())
    for transport in ((), ("--tcp",)):
        with sandbox("tests.reliability.engine", *transport) as place:
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
            page.main()
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(sys, "argv", ["page", "page.md"])
    page.main()
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == page.page()


def test_the_example_client_says_so_when_the_daemon_is_lost(tmp_path):
    (tmp_path / "in.ppm").write_bytes(PPM_HEADER + bytes(3600))
    with sandbox() as place:
        place.start()
        file = place.directory / FILE_NAME
        known = file.read_bytes()
        place.stop()
        file.write_bytes(known)
        done = subprocess.run(
            [sys.executable, EXAMPLE, file, "in.ppm", "out.ppm"],
            cwd=tmp_path,
            timeout=30,
            check=False,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 1
    assert "the daemon is gone" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.ppm").exists()


@pytest.fixture(scope="module")
def node_client(tmp_path_factory):
    """The client in JavaScript beside the packages that it needs."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("there is no Node here")
    folder = tmp_path_factory.mktemp("node")
    words = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", *PACKAGES]
    done = subprocess.run(
        words, cwd=folder, timeout=300, check=False, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"npm cannot get the packages: {done.stderr[-300:]}")
    shutil.copy(ROOT / "examples" / "client.mjs", folder)
    return folder / "client.mjs"


def node(client, place, *words):
    return subprocess.run(
        ["node", client, *words],
        cwd=client.parent,
        env=place.environment(),
        timeout=60,
        check=False,
        capture_output=True,
        text=True,
    )


def test_a_client_in_another_language_starts_the_daemon_and_survives_its_loss(node_client):
    folder = node_client.parent
    pixels = np.random.default_rng(3).integers(0, 256, (30, 40, 3), np.uint8)
    (folder / "in.ppm").write_bytes(PPM_HEADER + pixels.tobytes())
    expected = b"P6 40 30 255\n" + np.invert(pixels).tobytes()
    with sandbox("tests.reliability.engine") as place:
        config = place.root / "config"
        config.mkdir()
        words = child_process.own_module("daemon.cli.main", "daemon", "start")
        command = [*words, "--engine", "tests.reliability.engine"]
        (config / "launcher.json").write_text(json.dumps({"command": command}))
        done = node(node_client, place, "in.ppm", "first.ppm")
        assert (done.returncode, done.stderr) == (0, "")
        assert "no daemon runs; starting it" in done.stdout
        assert (folder / "first.ppm").read_bytes() == expected
        lost = psutil.Process(place.where.pid)
        lost.kill()
        lost.wait()
        done = node(node_client, place, "in.ppm", "second.ppm", "dreamy")
        assert (done.returncode, done.stderr) == (0, "")
        assert "starting it" in done.stdout
        assert (folder / "second.ppm").read_bytes() == expected
        done = node(node_client, place, "in.ppm", "third.ppm", "dreamly")
        assert done.returncode == 1
        assert "`lens.name` must be" in done.stderr
        with place.client() as client:
            client.shutdown()
