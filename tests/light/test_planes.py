"""Planes: their geometry, and what their alpha says."""

from __future__ import annotations

import array
import struct

import pytest

from daemon.light.planes import Plane
from daemon.light.view import Area


def plane(channels, dtype, pixel, count=6):
    return Plane(count, 1, channels, dtype, "srgb", pixel * count)


@pytest.mark.parametrize(
    ("dtype", "code", "full"), [("u8", "B", 255), ("u16", "<H", 65535), ("f32", "<f", 1.0)]
)
def test_alpha_is_seen_in_every_type(dtype, code, full):
    clear = plane(2, dtype, struct.pack(code, full) + struct.pack(code, 0))
    solid = plane(2, dtype, struct.pack(code, 0) + struct.pack(code, full))
    mixed = Plane(12, 1, 2, dtype, "srgb", clear.data + solid.data)
    assert (clear.empty, clear.opaque) == (True, False)
    assert (solid.empty, solid.opaque) == (False, True)
    assert (mixed.empty, mixed.opaque) == (False, False)
    assert plane(3, dtype, bytes(3 * struct.calcsize(code))).opaque


def test_a_plane_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="expected 12 bytes of pixels, got 11"):
        Plane(2, 2, 3, "u8", "srgb", bytes(11))


@pytest.mark.parametrize(("channels", "dtype"), [(3, "u8"), (1, "u16"), (4, "f32")])
def test_a_part_of_a_plane_has_its_pixels(channels, dtype):
    kind = {"u8": "B", "u16": "H", "f32": "f"}[dtype]
    values = array.array(kind, [v % 251 for v in range(7 * 5 * channels)])
    plane = Plane(7, 5, channels, dtype, "srgb", values.tobytes())
    part = plane.cropped(Area(2, 1, 4, 3))
    expected = array.array(kind)
    for y in range(1, 4):
        expected.extend(values[(7 * y + 2) * channels : (7 * y + 6) * channels])
    assert (part.width, part.height, part.data) == (4, 3, expected.tobytes())
