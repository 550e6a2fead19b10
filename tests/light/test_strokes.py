"""Paths as they are drawn, and steps taken back."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.light import msgpack
from daemon.light.strokes import MOST_BYTES, Brush, History, Path, have_room


def test_a_path_has_points_a_part_of_the_brush_apart_and_none_outside():
    path = Path(Brush("sharp", radius=0.05), (1000, 500))
    taken = [path.add(x / 1000, 0.5) for x in range(1001)]
    (stroke,) = path.strokes()
    assert sum(taken) == len(stroke.points) == 100
    assert stroke.points[-1][0] < 1000
    assert (stroke.plane, stroke.effect, stroke.radius) == ("matte", "raise", 50.0)


def test_the_eraser_takes_from_both_maps():
    path = Path(Brush("eraser"), (100, 100))
    path.add(0.1, 0.1)
    assert [(s.plane, s.effect) for s in path.strokes()] == [
        ("matte", "erase"),
        ("depth", "erase"),
    ]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 400), st.integers(1, 60))
def test_what_has_room_fits_into_a_header(count, points):
    path = Path(Brush("nearer", radius=1e-4), (60_000, 60_000))
    for at in range(points):
        path.add(0.9 - at / 100, 0.9)
    strokes = path.strokes() * count
    packed = msgpack.packb([stroke.message() for stroke in strokes])
    if have_room(strokes):
        assert len(packed) <= MOST_BYTES


@given(st.lists(st.integers(0, 3) | st.sampled_from("ur"), max_size=40))
def test_steps_are_taken_back_in_turn(steps):
    history, past, now, future = History(0), [], 0, []
    for step in steps:
        if step == "u":
            if past:
                future.append(now)
                now = past.pop()
            assert history.undo() == now
        elif step == "r":
            if future:
                past.append(now)
                now = future.pop()
            assert history.redo() == now
        else:
            if step != now:
                past.append(now)
                now, future = step, []
            history.push(step)
        assert (history.can_undo, history.can_redo) == (bool(past), bool(future))
