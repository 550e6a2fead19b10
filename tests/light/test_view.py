"""Zoom and pan: what is under the pointer stays there, and what is seen is within the photo."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.light.view import GRID, Area, View

sides = st.tuples(st.integers(1, 9000), st.integers(1, 9000))
windows = st.tuples(st.integers(1, 2000), st.integers(1, 2000))
views = st.builds(
    View, sides, windows, st.integers(1, 3), st.none() | st.floats(0.05, 8.0), st.just((0.3, 0.8))
)


@given(views)
def test_what_is_seen_lies_within_the_photo_and_fills_what_is_shown(view):
    area, region = view.area, view.region
    assert area.left >= 0
    assert area.right <= view.photo[0]
    assert area.width * view.scale >= view.shown[0] - 2
    assert region.holds(area)
    assert region.left % GRID == 0
    assert view.shown[0] <= view.window[0] * view.density


@given(views, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_place_in_the_window_and_its_fraction_are_inverse(view, x, y):
    where = view.window[0] * x, view.window[1] * y
    fraction = view.fraction(*where)
    if fraction is not None and max(fraction) < 1:
        back = view.place(*fraction)
        left = (view.window[0] * view.density - view.shown[0]) / 2
        assert back[0] + left == pytest.approx(where[0] * view.density, abs=1e-3)


def test_the_point_under_the_pointer_stays_there():
    view = View((4000, 3000), (800, 600))
    point = view.fraction(200, 300)
    nearer = view.zoomed(4.0, 200, 300)
    assert nearer.scale == pytest.approx(0.8)
    assert nearer.fraction(200, 300) == pytest.approx(point, abs=1 / 3000)


def test_zooming_out_ends_at_the_whole_photo():
    view = View((4000, 3000), (800, 600), zoom=0.4, centre=(0.1, 0.1))
    assert view.zoomed(0.5, 0, 0).is_fit
    assert view.zoomed(0.5, 0, 0).shown == (800, 600)
    assert not view.at(1.0).is_fit
    assert view.at(1.0).needs_full_size


def test_a_fine_screen_shows_more_pixels():
    assert View((4000, 3000), (800, 600), density=2).shown == (1600, 1200)
    assert View((400, 300), (800, 600), density=1).shown == (400, 300)


def test_panning_stops_at_the_border():
    view = View((4000, 3000), (800, 600), zoom=1.0)
    assert view.panned(100, -50).area == Area(1500, 1250, 800, 600)
    corner = view.panned(1e6, 1e6)
    assert corner.area == Area(0, 0, 800, 600)
    assert corner.panned(-10, 0).area == Area(10, 0, 800, 600)
