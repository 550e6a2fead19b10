"""A matte that somebody decided on rules over the depth, at every depth."""

from __future__ import annotations

import numpy as np
import pytest

from bokeh_core.lens import Lens
from bokeh_core.rendering import overridden_depth, render

HEIGHT, WIDTH = 96, 160
FRIENDS = (slice(10, 50), slice(60, 100), slice(110, 150))
WALL, THEM = 0.3, 0.8


def friends():
    """Three in front of a wall, all at one distance: noise, depth, and everybody's matte."""
    rng = np.random.default_rng(3)
    rgb = rng.random((HEIGHT, WIDTH, 3)).astype(np.float32)
    found = np.zeros((HEIGHT, WIDTH), np.float32)
    for columns in FRIENDS:
        found[20:, columns] = 1.0
    return rgb, np.where(found > 0, THEM, WALL).astype(np.float32), found


def detail(picture, columns):
    """Return the spread of the pixels well inside one of them; noise has much, its blur little."""
    return float(picture[40:80, columns.start + 12 : columns.stop - 12].std())


@pytest.mark.parametrize("focus", [THEM, 0.75, 1.0])
@pytest.mark.parametrize("sharp", [True, False])
def test_who_was_painted_black_is_blurred_like_the_wall_behind(focus, sharp):
    rgb, depth, found = friends()
    painted = found.copy()
    painted[:, FRIENDS[1]] = 0.0
    lens = Lens(focus=focus, max_coc=20.0, focus_range=0.05, keep_subject_sharp=sharp)
    there = overridden_depth(depth, painted, found, lens)
    out = render(rgb, lens=lens, depth=there, matte=painted)
    wall = float(out[2:12, 10:-10].std())
    assert detail(out, FRIENDS[1]) < 1.5 * wall
    assert detail(rgb, FRIENDS[1]) > 3 * detail(out, FRIENDS[1])
    outside = painted > 0
    np.testing.assert_array_equal(there[outside], depth[outside])
    if sharp:
        np.testing.assert_array_equal(out[outside], rgb[outside])


def test_a_wall_in_focus_still_blurs_who_was_painted_black():
    rgb, _, found = friends()
    depth = np.full_like(found, THEM)
    painted = np.where(np.arange(WIDTH) < 55, found, 0.0).astype(np.float32)
    lens = Lens(focus=THEM, max_coc=60.0)
    there = overridden_depth(depth, painted, found, lens)
    out = render(rgb, lens=lens, depth=there, matte=painted)
    assert detail(out, FRIENDS[2]) < detail(rgb, FRIENDS[2]) / 3
    assert detail(out, FRIENDS[0]) == detail(rgb, FRIENDS[0])


def test_what_is_blurred_more_already_stays():
    _, depth, found = friends()
    lens = Lens(focus=WALL, max_coc=20.0, focus_range=0.1)  # they are far before the focus
    assert np.array_equal(overridden_depth(depth, 0 * found, found, lens), depth)


def test_far_focus_leaves_no_room_behind():
    _, _, found = friends()
    depth = np.full_like(found, 0.05)
    lens = Lens(focus=0.05, max_coc=20.0)
    there = overridden_depth(depth, 0 * found, found, lens)
    assert (np.abs(lens.coc(there[found > 0])) >= 2.9).all()


@pytest.mark.parametrize("focus", [THEM, 0.5, WALL])
def test_what_was_painted_white_is_sharp(focus):
    rgb, depth, found = friends()
    lamp = np.s_[0:16, 60:100]
    painted = found.copy()
    painted[lamp] = 1.0
    lens = Lens(focus=focus, max_coc=20.0)
    there = overridden_depth(depth, painted, found, lens)
    out = render(rgb, lens=lens, depth=there, matte=painted)
    inside = np.s_[2:8, 76:84]  # where the blur of the heads before it does not reach
    np.testing.assert_allclose(out[inside], rgb[inside], atol=1e-6)


def test_nothing_decided_changes_nothing():
    _, depth, found = friends()
    lens = Lens(focus=0.5)
    rounded = np.rint(found * 250) / np.float32(255)
    assert overridden_depth(depth, found, found, lens) is depth
    assert overridden_depth(depth, rounded, found, lens) is depth
