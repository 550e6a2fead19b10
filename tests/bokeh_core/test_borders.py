"""The paper's border post-processing."""

from __future__ import annotations

import numpy as np

from bokeh_core.borders import border_refined


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
