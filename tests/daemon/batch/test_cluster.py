"""A real Dask cluster on this machine, whose workers and scheduler are killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from bokeh_core.errors import InputError
from daemon.batch import runner, sources
from daemon.batch.crew import CrewGone
from daemon.batch.journal import Journal
from tests.daemon.batch.victim import order_with
from tests.daemon.batch.works import Doubling

pytest.importorskip("distributed")
from daemon.batch.cluster import Cluster

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # Dask's own, in its processes too
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(autouse=True)
def nothing_left():
    """Dask keeps threads of its event loop for the process."""


def _run(tmp_path, folder, crew, tell=lambda _: None, wait_s=0.0):
    out = tmp_path / "out"
    batch = runner.Batch(
        sources.find([str(folder)], out), order_with(Doubling(tmp_path / "log", wait_s))
    )
    with Journal(out) as journal, crew:
        return runner.run(batch, journal, crew, tell)


def test_a_picture_that_hangs_is_given_up(tmp_path, shoot):
    folder = shoot(6, p02="stall")
    tally = _run(tmp_path, folder, Cluster("local", 1, ships=False, limit=10.0))
    assert tally.done == 5
    assert "took longer than 10 s" in tally.failures["shoot/part2/p02.jpg"]


@pytest.mark.parametrize("ships", [True, False])
def test_workers_die_and_everything_else_is_done(tmp_path, shoot, lines, ships):
    """One worker is killed from outside, one picture kills three, and one worker's disk is full."""
    folder = shoot(60, p07="kill", p20="no-room")
    killed = []

    def kill_one(tally):
        if tally.done == 10 and not killed:
            last = (tmp_path / "log").read_text().splitlines()[-1]
            killed.append(int(last.split()[1]))
            with contextlib.suppress(ProcessLookupError):
                os.kill(killed[0], signal.SIGKILL)

    tally = _run(tmp_path, folder, Cluster("local", 2, ships=ships), kill_one, wait_s=0.02)
    assert killed
    assert tally.done == 59
    assert list(tally.failures) == ["shoot/part1/p07.jpg"]
    assert "took 3 workers with it" in tally.failures["shoot/part1/p07.jpg"]
    entries = lines(tmp_path / "out")
    assert len(entries) == len({entry["key"] for entry in entries}) == 60
    for entry in entries:
        if "error" not in entry:
            result = tmp_path / "out" / entry["outputs"]["twice"]["path"]
            assert result.read_text() == Path(entry["source"]).read_text() * 2
    assert (tally.moved > 0) == ships


def test_a_scheduler_that_comes_back(tmp_path, shoot, lines, address):
    folder = shoot(30)
    at = f"tcp://{address}"
    begun = [*_dask(at)]

    def restart(tally):
        if tally.done >= 5 and len(begun) == 2:
            for process in begun[:2]:
                _end(process)
            threading.Timer(1.0, lambda: begun.extend(_dask(at))).start()
            begun.append(None)

    try:
        crew = Cluster(at, 0, ships=True, patience=40)
        tally = _run(tmp_path, folder, crew, restart, wait_s=0.1)
    finally:
        for process in filter(None, begun):
            _end(process)
    assert (tally.done, tally.failures) == (30, {})
    entries = lines(tmp_path / "out")
    assert len(entries) == len({entry["key"] for entry in entries}) == 30


def test_a_scheduler_that_stays_away(tmp_path, shoot, lines, address):
    folder = shoot(10)
    begun = list(_dask(f"tcp://{address}"))

    def end(tally):
        if tally.done == 3:
            for process in begun:
                _end(process)

    try:
        crew = Cluster(f"tcp://{address}", 0, ships=True, patience=10)
        with pytest.raises(CrewGone, match="the same command goes on"):
            _run(tmp_path, folder, crew, end, wait_s=0.1)
    finally:
        for process in begun:
            _end(process)
    assert 3 <= len(lines(tmp_path / "out")) < 10


def test_nobody_there(address):
    crew = Cluster(f"tcp://{address}", 0, ships=True, patience=1)
    with pytest.raises(InputError, match="no scheduler with workers there"), crew:
        pass


def _dask(at):
    """Start a scheduler and a worker as an administrator does."""
    host, port = at.removeprefix("tcp://").split(":")
    module = (sys.executable, "-m", "dask")
    common = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    yield subprocess.Popen(
        [*module, "scheduler", "--host", host, "--port", port, "--no-dashboard"], **common
    )
    yield subprocess.Popen([*module, "worker", at, "--nthreads", "1", "--no-dashboard"], **common)


def _end(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        everybody = psutil.Process(process.pid)
        for each in [*everybody.children(recursive=True), everybody]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
    process.wait()
    time.sleep(0)
