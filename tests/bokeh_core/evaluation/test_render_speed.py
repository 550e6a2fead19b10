"""What is measured in a process of its own comes to an end whatever becomes of that process."""

from __future__ import annotations

import os

import pytest

from bokeh_core.errors import OutOfMemory
from bokeh_core.evaluation import render_speed
from bokeh_core.evaluation.render_speed import Spent
from bokeh_core.presets import LOOKS


class Deadly:
    """Ends the process that it is sent to, as the out-of-memory killer would."""

    def __reduce__(self):
        return os._exit, (9,)

    def __str__(self):
        return "deadly"


def test_a_process_that_is_killed_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(render_speed, "_measured", print)
    with pytest.raises(OutOfMemory, match="deadly, 12 MP: the process was killed"):
        render_speed.measure(Deadly(), 12.0)


def test_the_least_of_several_measurements_counts_for_clock_and_processors_apart():
    spent = Spent(3.0, 2.0).least(Spent(2.0, 4.0))
    assert spent == Spent(2.0, 2.0)
    assert spent.over(2.0) == Spent(1.0, 1.0)
    assert spent.over(Spent(4.0, 1.0)) == Spent(0.5, 2.0)


def test_every_ready_made_look_is_timed():
    times = render_speed.looks(0.02)
    assert list(times) == list(LOOKS)
    assert all(spent.wall > 0.0 and spent.processor > 0.0 for spent in times.values())


def test_a_method_and_the_yardstick_take_turns(monkeypatch):
    order = []
    monkeypatch.setitem(render_speed.TIMED, "ours", lambda *_: order.append("ours"))
    monkeypatch.setattr(render_speed, "five_gaussians", lambda *_: order.append("five"))
    cost = render_speed._measured("ours", 0.02, 3)
    assert order == ["ours", *["ours", "five"] * 3]
    assert cost.ratio.wall > 0.0
