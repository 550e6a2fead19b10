"""Tiles in threads: everything is done once, errors arrive, and nobody goes on after the end."""

import threading
import time

import pytest
import torch

from bokeh_core.errors import Cancelled
from bokeh_core.progress import ignore
from bokeh_core.rendering.parallel import each_tile
from bokeh_core.rendering.tiles import Bounds

CPU = torch.device("cpu")
WORK = [Bounds(row, 0, 1, 1) for row in range(40)]


def test_every_tile_is_rendered_once_beside_others_with_one_torch_thread_each():
    before, seen, threads = torch.get_num_threads(), [], set()

    def render(tile, step):
        step()
        threads.add(torch.get_num_threads())
        assert torch.is_inference_mode_enabled()
        seen.append(tile)

    each_tile(WORK, render, CPU, ignore)
    assert sorted(tile.top for tile in seen) == list(range(40))
    assert threads == {1}
    assert torch.get_num_threads() == before


def test_progress_is_reported_in_the_callers_thread_and_ends_at_one():
    here, seen = threading.get_ident(), []

    def progress(stage, fraction):
        assert threading.get_ident() == here
        seen.append((stage, fraction))

    each_tile(WORK, lambda _, step: step(), CPU, progress)
    assert seen[0] == ("render", 0.0)
    assert seen[-1] == ("render", 1.0)


def test_an_error_in_a_tile_reaches_the_caller_and_ends_the_others():
    started = []

    def render(tile, step):
        started.append(tile)
        if tile.top == 2:
            raise MemoryError("tile 2")
        time.sleep(0.01)
        step()

    with pytest.raises(MemoryError, match="tile 2"):
        each_tile(WORK, render, CPU, ignore)
    assert len(started) < len(WORK)
    ended = len(started)
    time.sleep(0.05)
    assert len(started) == ended


def test_a_cancel_is_noticed_while_a_tile_is_under_way():
    calls = []

    def progress(stage, fraction):
        calls.append(fraction)
        if len(calls) == 3:
            raise Cancelled("enough")

    def endless(tile, step):
        while True:
            time.sleep(0.001)
            step()

    with pytest.raises(Cancelled):
        each_tile(WORK, endless, CPU, progress)


def test_calls_in_several_threads_leave_torch_with_the_threads_it_had():
    before, seen = torch.get_num_threads(), []

    def call():
        for _ in range(10):
            each_tile(WORK[:4], lambda _, step: step(), CPU, ignore)
        seen.append(torch.get_num_threads())

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert seen == [before] * 4
    assert torch.get_num_threads() == before
