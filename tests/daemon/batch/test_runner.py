"""What is done, done again, kept and refused; with processes of this machine."""

from __future__ import annotations

import json
import math
import os

import pytest

from bokeh_core.errors import InputError
from daemon.batch import runner, sources
from daemon.batch.journal import SCRATCH, Journal
from daemon.batch.local import Local, Size
from tests.daemon.batch.victim import order_with
from tests.daemon.batch.works import Doubling


@pytest.fixture
def do(tmp_path):
    """Run a batch over a folder; gives the tally."""

    def run(folder, *, retry=False, verify=False, workers=1, limit=math.inf, **settings):
        out = tmp_path / "out"
        order = order_with(Doubling(tmp_path / "log"), **settings)
        batch = runner.Batch(sources.find([str(folder)], out), order, retry=retry, verify=verify)
        with Journal(out) as journal, Local(Size(workers), limit) as crew:
            return runner.run(batch, journal, crew, lambda _: None)

    return run


def _worked(tmp_path):
    log = tmp_path / "log"
    return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []


def test_a_second_run_does_nothing(tmp_path, shoot, do, lines):
    folder = shoot(5)
    assert do(folder).done == 5
    tally = do(folder)
    assert (tally.done, tally.kept, len(_worked(tmp_path))) == (0, 5, 5)
    entry = lines(tmp_path / "out")[0]
    assert entry["outputs"]["twice"]["path"] == "shoot/part0/p00_twice.txt"
    assert entry["notes"] == ["doubled"]
    assert not (tmp_path / "out" / SCRATCH).exists()


def test_what_changed_is_done_again(tmp_path, shoot, do):
    folder = shoot(4)
    do(folder)
    (folder / "part0" / "p00.jpg").write_text("another")
    (tmp_path / "out/shoot/part1/p01_twice.txt").unlink()
    tally = do(folder)
    assert (tally.done, tally.kept) == (2, 2)
    assert (tmp_path / "out/shoot/part0/p00_twice.txt").read_text() == "another" * 2
    assert do(folder, blur=2).done == 4  # other settings


def test_verify_finds_a_result_of_the_same_size(tmp_path, shoot, do):
    folder = shoot(2)
    do(folder)
    result = tmp_path / "out/shoot/part1/p01_twice.txt"
    text = result.read_text()
    result.write_text(text.swapcase())
    assert do(folder).kept == 2
    assert do(folder, verify=True).done == 1
    assert result.read_text() == text


def test_failures_are_listed_and_retried_when_asked(tmp_path, shoot, do, lines):
    folder = shoot(3, p01="error")
    tally = do(folder)
    assert tally.failures == {"shoot/part1/p01.jpg": "this picture never works"}
    assert do(folder).failures == tally.failures
    assert _worked(tmp_path).count("p01.jpg") == 1
    do(folder, retry=True)
    assert _worked(tmp_path).count("p01.jpg") == 2
    (folder / "part1" / "p01.jpg").write_text("mended")
    assert not do(folder).failures  # a changed input needs no --retry


def test_a_picture_that_kills_its_worker(tmp_path, shoot, do, lines):
    tally = do(shoot(6, p02="kill"), workers=2)
    assert (tally.done, tally.deaths) == (5, runner.DEATHS)
    assert "took 3 workers with it: killed by signal 9" in tally.failures["shoot/part2/p02.jpg"]
    assert sum("error" in line for line in lines(tmp_path / "out")) == 1


def test_a_picture_that_hangs_is_given_up_and_retried_when_asked(tmp_path, shoot, do, lines):
    folder = shoot(5, p00="stall")
    tally = do(folder, workers=1, limit=6.0)  # the others begin a worker of their own in less
    assert tally.done == 4
    assert "took longer than 6 s (--time-limit)" in tally.failures["shoot/part0/p00.jpg"]
    (told,) = [line for line in lines(tmp_path / "out") if "error" in line]
    assert told["seconds"] == 6.0
    assert not (tmp_path / "out" / SCRATCH).exists()
    assert do(folder).failures == tally.failures
    assert do(folder, retry=True).done == 1  # it hangs in one process only


def test_a_worker_without_room_is_not_the_end_of_a_picture(tmp_path, shoot, do):
    tally = do(shoot(4, p01="no-room"), workers=1)
    assert "No space left" in tally.failures["shoot/part1/p01.jpg"]
    assert _worked(tmp_path).count("p01.jpg") == runner.PLACES
    assert tally.done == 3


def test_an_input_that_changes_under_the_work(tmp_path, shoot, do):
    folder = shoot(2, p01="change")
    assert "changed while" in do(folder).failures["shoot/part1/p01.jpg"]
    assert do(folder).done == 1


def test_two_pictures_never_share_a_result(tmp_path, shoot, do):
    folder = shoot(1)
    (folder / "part0" / "p00.png").write_text("twin")
    tally = do(folder)
    assert tally.done == 1
    (error,) = tally.failures.values()
    assert "is already the result of" in error


def test_an_input_is_never_overwritten(tmp_path, do):
    twin = tmp_path / "out/shoot/p00_twice.txt"
    twin.parent.mkdir(parents=True)
    (tmp_path / "shoot").mkdir()
    (tmp_path / "shoot/p00.jpg").write_text("x")
    twin.write_text("a picture")
    out = tmp_path / "out"
    items = [
        *sources.find([str(tmp_path / "shoot")], out),
        sources.Source("other.txt", twin),
    ]
    batch = runner.Batch(items, order_with(Doubling(tmp_path / "log")))
    with Journal(out) as journal, Local(Size(1)) as crew:
        tally = runner.run(batch, journal, crew, lambda _: None)
    assert "is an input" in tally.failures["shoot/p00.jpg"]
    assert twin.read_text() == "a picture"


def test_one_batch_at_a_time(tmp_path):
    with (
        Journal(tmp_path / "out"),
        pytest.raises(InputError, match="another batch"),
        Journal(tmp_path / "out"),
    ):
        pass
    with Journal(tmp_path / "out"):
        pass


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_torn_last_line_costs_one_picture(tmp_path, shoot, do, cut):
    folder = shoot(3)
    do(folder)
    journal = tmp_path / "out" / "defocus-batch.jsonl"
    os.truncate(journal, journal.stat().st_size - cut)
    tally = do(folder)
    # one byte is the line's end alone: what it says still stands
    assert (tally.done, tally.kept) == ((0, 3) if cut == 1 else (1, 2))
    assert do(folder).kept == 3


def test_results_being_replaced_are_no_longer_vouched_for(tmp_path, shoot, do):
    folder = shoot(1)
    do(folder)
    journal = tmp_path / "out" / "defocus-batch.jsonl"
    with journal.open("a") as file:  # as if killed between this line and the new results
        file.write(json.dumps({"line": "replacing", "key": "shoot/part0/p00.jpg"}) + "\n")
    assert do(folder).done == 1


@pytest.mark.skipif(os.name != "posix", reason="names are text here")
def test_a_name_that_is_no_text_fails_alone(shoot, do, lines, tmp_path):
    folder = shoot(2)
    odd = os.fsencode(folder / "part0") + b"/caf\xe9.jpg"
    with open(odd, "w") as file:  # noqa: PTH123 - no Path of bytes
        file.write("x")
    tally = do(folder)
    assert tally.done == 2
    assert tally.failures == {"shoot/part0/caf\\udce9.jpg": "its name is not UTF-8: rename it"}
    assert any("caf" in line["key"] for line in lines(tmp_path / "out"))
