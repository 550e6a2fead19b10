"""The paper's border post-processing."""

from __future__ import annotations

import numpy as np

from bokeh_core.borders import border_refined, border_steps


def test_edges_near_the_border_join_the_mask_and_far_ones_do_not():
    matte = np.zeros((60, 60), np.float32)
    matte[20:40, 20:40] = 0.9
    luma = np.zeros((60, 60), np.float32)
    luma[:, 41:] = 1  # an edge one pixel outside the mask
    luma[50:, :10] = 1  # and one far away
    refined = border_refined(matte, luma, blur=0.5)
    assert refined[25:35, 25:35].min() > 0.99
    assert refined[30, 40] > 0.5
    assert refined[30, 18] < 0.5
    assert refined[45:, :15].max() == 0


def test_a_flat_output_has_no_border():
    flat = np.full((20, 20), 0.2, np.float32)
    np.testing.assert_array_equal(border_refined(flat, flat), flat)


def test_every_step_is_what_the_next_begins_with():
    rng = np.random.default_rng(1)
    matte = np.zeros((60, 60), np.float32)
    matte[15:45, 20:40] = 0.8
    matte += 0.1 * rng.random((60, 60), np.float32)
    luma = rng.random((60, 60), np.float32)
    steps = border_steps(matte, luma)
    assert set(np.unique(steps.mask)) == {0, 1}
    assert not (steps.border * steps.mask).any()
    assert ((steps.edges == 0) | (steps.border == 1)).all()
    assert 0 < steps.edges.sum() < steps.border.sum()
    np.testing.assert_array_equal(steps.smooth, border_refined(matte, luma))


def test_the_steps_of_a_flat_output_are_flat():
    flat = np.full((20, 20), 0.2, np.float32)
    steps = border_steps(flat, flat)
    for plane in vars(steps).values():
        assert plane.min() == plane.max()
