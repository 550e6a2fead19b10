"""The range in focus, told by two ends, and the settings it stands for."""

from __future__ import annotations

import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.light.depths import BEFORE, BEHIND, SHARP, FocusRange, coloured, histogram
from daemon.light.parameters import Parameters
from daemon.light.planes import Plane

unit = st.floats(0.0, 1.0)


@given(unit, unit, st.booleans())
def test_an_end_goes_where_it_is_dragged_and_the_other_stays(focus, to, high):
    before = Parameters(focus="depth", focus_depth=focus, focus_range=0.1)
    chosen = FocusRange.of(before, focus)
    after = chosen.moved_end(before, high, to)
    found = FocusRange.of(after, after.focus_depth)
    assert (found.high if high else found.low) == pytest.approx(to, abs=1e-9)
    other = (found.low, chosen.low) if high else (found.high, chosen.high)
    reached = to < chosen.low if high else to > chosen.high
    if not reached and 0 <= other[1] <= 1:
        assert other[0] == pytest.approx(other[1], abs=1e-9)


@given(unit, unit, st.booleans())
def test_around_the_subject_both_ends_move(focus, to, high):
    before = Parameters(focus="subject", focus_range=0.1)
    after = FocusRange.of(before, focus).moved_end(before, high, to)
    found = FocusRange.of(after, focus)
    assert after.focus == "subject"
    assert found.high - focus == pytest.approx(focus - found.low)
    if (to > focus) == high:
        assert (found.high if high else found.low) == pytest.approx(to, abs=1e-6) or abs(
            to - focus
        ) > 0.5


def test_the_focus_itself_can_be_moved():
    before = Parameters(focus="subject", focus_range=0.2)
    after = FocusRange.of(before, 0.8).moved(before, 0.3)
    assert (after.focus, after.focus_depth, after.focus_range) == ("depth", 0.3, 0.2)


@pytest.mark.parametrize("kind", ["B", "H"])
def test_depths_are_counted_and_coloured_in_both_types(kind):
    full = 255 if kind == "B" else 65535
    values = array.array(kind, [0, round(0.5 * full), round(0.5 * full), full])
    depth = Plane(4, 1, 1, "u8" if kind == "B" else "u16", "linear", values.tobytes())
    counted = histogram(depth)
    assert (counted[0], counted[255], max(counted)) == (0.5, 0.5, 1.0)
    assert sum(counted) == 2.0
    pixels = coloured(depth, FocusRange(0.4, 0.6, 0.5))
    seen = [tuple(pixels[4 * at : 4 * at + 3]) for at in range(4)]
    assert seen == [BEHIND, SHARP, SHARP, BEFORE]
