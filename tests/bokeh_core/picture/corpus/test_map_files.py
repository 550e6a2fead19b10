"""Masks and depth files of other programs are taken as they are meant."""

import cv2
import numpy as np
import pytest
from PIL import Image

from bokeh_core.errors import InputError
from bokeh_core.picture import open_map

SHAPE = np.zeros((40, 64), np.uint8)
SHAPE[10:30, 20:50] = 255


def saved(tmp_path, pixels, name="m.png", **options):
    path = tmp_path / name
    Image.fromarray(np.ascontiguousarray(pixels)).save(path, **options)
    return path


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_a_shape_in_alpha_only(tmp_path, colour):
    pixels = np.dstack([np.full_like(SHAPE, colour)] * 3 + [SHAPE])
    found = open_map(saved(tmp_path, pixels), (64, 40))
    np.testing.assert_array_equal(found.values, SHAPE / 255)
    assert "transparency" in found.notes[0]


def test_black_under_full_transparency_is_still_a_shape_in_alpha(tmp_path):
    pixels = np.dstack([SHAPE, SHAPE, SHAPE, SHAPE])
    np.testing.assert_array_equal(open_map(saved(tmp_path, pixels), (64, 40)).values, SHAPE / 255)


def test_grey_with_opaque_alpha_is_the_grey(tmp_path):
    pixels = np.dstack([SHAPE] * 3 + [np.full_like(SHAPE, 255)])
    found = open_map(saved(tmp_path, pixels), (64, 40))
    np.testing.assert_array_equal(found.values, SHAPE / 255)
    assert found.notes == ()


def test_transparent_parts_of_a_grey_map_count_as_black(tmp_path):
    slope = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (40, 1))
    found = open_map(saved(tmp_path, np.dstack([slope] * 3 + [SHAPE])), (64, 40))
    np.testing.assert_allclose(found.values, slope / 255 * (SHAPE > 0), atol=1e-6)


def test_one_code_off_grey_and_grey_of_a_lossy_file(tmp_path):
    pixels = np.dstack([SHAPE] * 3)
    pixels[5, 5] = (0, 1, 0)
    found = open_map(saved(tmp_path, pixels), (64, 40))
    np.testing.assert_allclose(found.values, SHAPE / 255, atol=2e-3)
    assert "not quite grey" in found.notes[0]
    lossy = open_map(saved(tmp_path, np.dstack([SHAPE] * 3), "m.jpg", quality=75), (64, 40))
    np.testing.assert_allclose(lossy.values, SHAPE / 255, atol=0.1)


def test_a_tinted_map_is_refused(tmp_path):
    with pytest.raises(InputError, match="must be grey"):
        open_map(saved(tmp_path, np.dstack([SHAPE, SHAPE // 2, SHAPE])), (64, 40))


@pytest.mark.parametrize("size", [(32, 20), (128, 80), (96, 60), (4, 2), (640, 400)])
def test_another_size_of_the_same_proportions(tmp_path, size):
    smooth = cv2.GaussianBlur(SHAPE, (0, 0), 4)
    stored = cv2.resize(smooth, size, interpolation=cv2.INTER_AREA if size[0] < 64 else 1)
    found = open_map(saved(tmp_path, stored), (64, 40))
    assert found.values.shape == (40, 64)
    assert f"from {size[0]} x {size[1]} to 64 x 40" in found.notes[0]
    if size[0] > 16:
        np.testing.assert_allclose(found.values, smooth / 255, atol=0.08)


@pytest.mark.parametrize("size", [(40, 64), (64, 44), (100, 40)])
def test_other_proportions_are_refused(tmp_path, size):
    with pytest.raises(InputError, match="but the picture is 64 x 40"):
        open_map(saved(tmp_path, cv2.resize(SHAPE, size)), (64, 40))


def test_twelve_bits_of_depth_are_the_whole_range(tmp_path):
    import tifffile

    path = tmp_path / "d.tif"
    codes = np.tile(np.linspace(0, 4095, 64).astype(np.uint16), (40, 1))
    tifffile.imwrite(path, codes, extratags=[(281, 3, 1, 4095, True)])
    assert open_map(path, (64, 40)).values.max() == 1
