"""Progress in words: percent, and the time left where it can be told."""

from __future__ import annotations

import pytest

from daemon.light.stages import Pace


def test_the_time_left_is_what_the_pace_so_far_says():
    pace = Pace()
    assert pace.told("launching", 0.0, 5.0) == "starting the daemon, 0%"
    assert pace.told("render", 0.5, 10.0) == "blurring, 50%"
    assert pace.told("render", 0.6, 12.0) == "blurring, 60%, about 8 s left"
    assert pace.told("render", 0.9, 18.0) == "blurring, 90%, about 2 s left"


def test_too_little_tells_nothing():
    pace = Pace()
    pace.told("matte", 0.1, 0.0)
    assert pace.told("matte", 0.5, 0.5) == "finding the people, 50%"
    assert pace.told("matte", 0.15, 60.0) == "finding the people, 15%"


@pytest.mark.parametrize(("took", "left"), [(10.0, "about 10 s"), (300.0, "about 5 min")])
def test_long_times_are_told_in_minutes(took, left):
    pace = Pace()
    pace.told("render", 0.2, 0.0)
    assert pace.told("render", 0.6, took).endswith(f"{left} left")


def test_what_begins_again_is_measured_anew():
    pace = Pace()
    pace.told("render", 0.5, 0.0)
    pace.told("pixels", 0.1, 50.0)
    assert pace.told("render", 0.3, 52.0) == "blurring, 30%, about 7 s left"
