"""What nobody sees never shows: hidden colours are replaced, visible ones are not touched."""

import numpy as np
import pytest

from bokeh_core import Lens, picture, render
from bokeh_core.transparency import continued


def cut_out(height=60, width=900, seed=0):
    """Random colours, the right part transparent with glaring magenta under it."""
    rng = np.random.default_rng(seed)
    light = rng.uniform(0.2, 0.4, (height, width, 3)).astype(np.float32)
    alpha = np.ones((height, width), np.float32)
    alpha[:, width // 2 - 1] = 0.5
    alpha[:, width // 2 :] = 0
    light[:, width // 2 :] = (50, 0, 50)
    return light, alpha


def test_visible_pixels_stay_and_hidden_ones_take_their_colours():
    light, alpha = cut_out()
    out = continued(light.copy(), alpha)
    np.testing.assert_array_equal(out[alpha > 0], light[alpha > 0])
    assert 0.2 < out[alpha == 0].min() <= out[alpha == 0].max() < 0.4


@pytest.mark.parametrize("alpha", [0.0, 0.1, 1.0])
def test_where_all_or_nothing_is_visible_nothing_changes(alpha):
    light, _ = cut_out()
    out = continued(light.copy(), np.full(light.shape[:2], alpha, np.float32))
    np.testing.assert_array_equal(out, light)


def test_hidden_colours_do_not_bleed_into_a_blur_and_are_kept():
    pixels = np.full((40, 60, 4), 128, np.uint8)
    pixels[..., 3] = 255
    pixels[:, 30:] = (255, 0, 255, 0)
    photo = picture.Picture(pixels)
    depth = np.zeros((40, 60), np.float32)
    out = render(photo.linear(), depth=depth, lens=Lens(focus=1.0, max_coc=8))
    np.testing.assert_array_equal(photo.with_linear(out).pixels, pixels)
