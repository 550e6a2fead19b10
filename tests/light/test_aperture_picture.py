"""A picture as aperture: how it becomes text, and what the renderer makes of it."""

from __future__ import annotations

import base64
import dataclasses
import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bokeh_core.lens import Lens
from bokeh_core.limits import MAX_KERNEL_SIDE
from bokeh_core.picture import to_linear
from bokeh_core.rendering.aperture_blur.kernel import aperture_kernel
from daemon.cli.aperture_file import kernel_in
from daemon.light import msgpack
from daemon.light.aperture_picture import (
    SIDE,
    grey_of,
    is_picture,
    kernel_of,
    light_of,
    text_of,
)
from daemon.light.errors import PluginError
from daemon.light.parameters import MOST_PEOPLE, Parameters
from daemon.light.planes import Plane
from daemon.light.request import LayerRequest
from daemon.light.strokes import MOST_BYTES, POINT_BYTES, STROKE_BYTES, Stroke, have_room
from daemon.wire import codec
from daemon.wire.capabilities import MAX_HEADER_BYTES

pictures = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=90),
    elements=st.floats(0, 4, width=32),
).filter(lambda light: light.max() > 1e-6)


def kernel(light):
    return np.array(kernel_of(text_of(light.ravel().tolist(), light.shape[1])))


def disc(side, radius, x, y):
    """A white disc on black, antialiased."""
    fine = (np.arange(side * 4) + 0.5) / 4
    inside = np.hypot(fine[None] - x, fine[:, None] - y) <= radius
    return inside.reshape(side, 4, side, 4).mean(axis=(1, 3))


def heart(side=100):
    x, y = np.meshgrid(np.linspace(-1.3, 1.3, side), np.linspace(1.3, -1.3, side))
    return ((x**2 + y**2 - 1) ** 3 - x**2 * y**3 <= 0).astype(float)


@settings(deadline=None, max_examples=50)
@given(pictures)
def test_any_picture_with_light_is_a_square_that_fits_and_comes_back(light):
    text = text_of(light.ravel().tolist(), light.shape[1])
    rows = kernel_of(text)
    assert len(rows) <= SIDE <= MAX_KERNEL_SIDE
    assert {len(row) for row in rows} == {len(rows)}
    assert max(map(max, rows)) == 255
    assert base64.b64encode(bytes(np.ravel(rows).tolist())).decode() == text
    assert is_picture(text)
    assert text.isprintable()
    Lens(kernel=rows)


@settings(deadline=None, max_examples=50)
@given(pictures, st.integers(0, 9), st.integers(0, 9), st.floats(0.01, 100))
def test_black_around_it_and_the_strength_of_its_light_change_nothing(light, left, top, times):
    moved = np.pad(light, ((top, 3), (left, 1))) * times
    assert np.abs(kernel(moved) - kernel(light)).max() <= 1


@pytest.mark.parametrize(("radius", "x", "y"), [(100, 128, 128), (40, 60, 190), (23.5, 200, 30)])
def test_a_white_disc_is_the_round_aperture(radius, x, y):
    own = Lens(kernel=kernel(disc(256, radius, x, y)))
    for size in (4.0, 15.0, 60.0):
        as_picture, as_round = (aperture_kernel(lens, size).numpy() for lens in (own, Lens()))
        assert np.abs(as_picture - as_round).sum() / 2 < 0.06, "part of the light elsewhere"
        far = np.arange(as_round.shape[0]) - as_round.shape[0] // 2
        spread = [
            math.sqrt(float((each.sum(axis=0) * far**2).sum())) for each in (as_picture, as_round)
        ]
        assert spread[0] == pytest.approx(spread[1], rel=0.02)


def test_a_shape_stands_as_it_was_drawn_and_in_its_middle():
    drawn = kernel(np.pad(heart(), ((0, 80), (70, 0))))
    assert np.array_equal(drawn, kernel(heart()))
    assert np.abs(drawn - drawn[:, ::-1]).max() <= 1
    assert drawn[: SIDE // 2].sum() > 1.2 * drawn[SIDE // 2 :].sum(), "its tip is below"
    behind, near = (
        aperture_kernel(Lens(kernel=drawn), SIDE / 2, near=near).numpy()[1:-2, 1:-2]
        for near in (False, True)
    )
    assert np.corrcoef(behind.ravel(), drawn.ravel())[0, 1] > 0.95
    assert np.corrcoef(near.ravel(), drawn[::-1].ravel())[0, 1] > 0.95
    wide = kernel(np.ones((10, 40)))
    assert np.array_equal(wide.any(axis=1), np.repeat([False, True, False], [15, 10, 15]))
    assert wide.any(axis=0).all()


@pytest.mark.parametrize(
    "light", [[], [0.0] * 9, [math.nan] * 4, [-1.0, 0.0], [math.inf, 0.0]], ids=str
)
def test_a_picture_without_light_is_refused(light):
    with pytest.raises(PluginError, match="no light in this picture"):
        text_of(light, 1)


@pytest.mark.parametrize(
    "text",
    ["AAAA", "/w", "/w=!", "//8=", "é", "\n/w==", base64.b64encode(b"\1" * 49**2).decode()],
)
def test_what_is_no_picture_is_refused(text):
    assert not is_picture(text)
    with pytest.raises(PluginError, match="aperture picture is damaged"):
        Parameters(aperture_picture=text).lens(100, 100)


def test_none_is_no_kernel():
    assert is_picture("")
    assert "kernel" not in Parameters().lens(100, 100)


def test_the_largest_request_fits_into_a_header():
    noise = np.random.default_rng(1).integers(128, 256, SIDE * SIDE).tolist()
    people = " ".join(["0.1234,0.5678"] * MOST_PEOPLE)
    worst = Parameters(
        aperture_picture=text_of(noise, SIDE), people="chosen", people_at=people, focus="point"
    )
    count = 50
    points = (MOST_BYTES // count - STROKE_BYTES) // POINT_BYTES
    stroke = Stroke("matte", "raise", 1234.567, 0.123, True, ((40000, 40000),) * points)
    strokes = (stroke,) * count
    assert have_room(strokes)
    assert not have_room((*strokes, stroke))
    image = Plane(16, 16, 4, "u16", "srgb", bytes(2048))
    request = LayerRequest.of(image, worst)
    header = msgpack.packb(dataclasses.replace(request, strokes=strokes).header("j" * 32))
    assert len(header) < MAX_HEADER_BYTES
    lens = codec.decode_client(header).lens
    assert lens.kernel == tuple(map(tuple, kernel_of(worst.aperture_picture)))


def test_a_file_gives_the_command_line_what_an_editor_makes_of_it(tmp_path):
    codes = np.zeros((300, 400, 4), np.uint8)
    codes[..., :3] = np.random.default_rng(2).integers(0, 256, (300, 400, 3))
    codes[100:200, 150:250, 3] = 255
    cv2.imwrite(str(tmp_path / "k.png"), codes[..., [2, 1, 0, 3]])
    small = codes[100:200, 150:250]
    assert light_of(small.tobytes()) == pytest.approx(
        (to_linear(small[..., :3], "srgb") @ (0.2126, 0.7152, 0.0722)).ravel(), abs=1e-5
    )
    editors = kernel_of(text_of(light_of(small.tobytes()), 100))
    ours = np.array(kernel_in(tmp_path / "k.png"))
    assert np.abs(ours - editors).mean() < 25, "noise, through two sizes"
    assert np.corrcoef(ours.ravel(), np.ravel(editors))[0, 1] > 0.5


def test_a_screen_shows_its_light():
    side, grey = grey_of(text_of([1.0, 0.0, 0.2, 1.0], 2))
    assert (side, list(grey)) == (2, [255, 0, 123, 255])
