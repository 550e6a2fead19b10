"""Krita's bytes and the wire's, both ways; without any Krita."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bokeh_core.picture import to_linear
from krita_plugin import samples

NUMPY = {"U8": "u1", "U16": "<u2", "F16": "<f2", "F32": "<f4"}
DEPTHS = sorted(NUMPY)


def pictures(depth, channels):
    dtype = np.dtype(NUMPY[depth])
    elements = None
    if dtype.kind == "f":
        elements = st.floats(-2, 2, width=8 * dtype.itemsize)
    sides = st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(channels))
    return hnp.arrays(dtype, sides, elements=elements)


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("depth", DEPTHS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_there_and_back_gives_the_same_bytes(depth, channels, data):
    given = data.draw(pictures(depth, channels)).tobytes()
    sent = samples.to_wire(given, depth, channels)
    assert samples.from_wire(sent, depth, channels) == given


@pytest.mark.parametrize("depth", DEPTHS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_whole_numbers_lie_as_blue_green_red_and_floats_as_red_green_blue(depth, data):
    picture = data.draw(pictures(depth, 4))
    sent = np.frombuffer(
        samples.to_wire(picture.tobytes(), depth, 4), NUMPY[depth].replace("f2", "f4")
    )
    order = [2, 1, 0, 3] if depth in samples.WHOLE else [0, 1, 2, 3]
    assert np.array_equal(sent.reshape(picture.shape), picture[..., order].astype(sent.dtype))


def test_a_float_too_large_for_a_half_becomes_the_largest():
    data = np.array([1e6, -1e6, 0.5, 1.0], "<f4").tobytes()
    assert np.frombuffer(samples.from_wire(data, "F16", 4), "<f2").tolist() == [
        65504,
        -65504,
        0.5,
        1,
    ]


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("depth", DEPTHS)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_map_is_opaque_grey_and_is_read_as_it_was_written(depth, channels, linear, data):
    kind = "u1" if depth == "U8" else "<u2"
    plane = data.draw(hnp.arrays(kind, st.tuples(st.integers(1, 9), st.integers(1, 9))))
    layer = samples.from_map(plane.tobytes(), depth, channels, linear=linear)
    pixels = np.frombuffer(layer, NUMPY[depth]).reshape(*plane.shape, channels).astype(float)
    full = samples.WHOLE.get(depth, 1.0)
    assert (pixels[..., -1] == full).all()
    assert (pixels[..., :-1] == pixels[..., :1]).all()
    exact = plane / (255.0 if depth == "U8" else 65535.0)
    shown = to_linear(exact, "srgb") if linear else exact
    step = 0.51 / full if depth in samples.WHOLE else 2**-11
    assert np.abs(pixels[..., 0] / full - shown).max() <= step
    read = samples.grey(layer, depth, channels, linear=linear)
    if depth in samples.WHOLE and not linear:
        assert read == plane.tobytes()
    eighth = np.frombuffer(samples.to_bytes(read, depth), "u1").reshape(plane.shape)
    # eight bits of light have few steps in the dark
    assert np.abs(eighth / 255 - exact).max() <= (0.03 if linear and depth == "U8" else 1 / 255)


@pytest.mark.parametrize("depth", DEPTHS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_what_was_erased_from_a_map_counts_in_part(depth, data):
    picture = data.draw(pictures(depth, 2))
    full = samples.WHOLE.get(depth, 1.0)
    values = np.clip(picture[..., 0].astype(float) / full, 0, 1)
    alpha = np.clip(picture[..., 1].astype(float) / full, 0, 1)
    read = samples.grey(picture.tobytes(), depth, 2)
    kind = NUMPY[depth] if depth in samples.WHOLE else "<f4"
    found = np.frombuffer(read, kind).reshape(values.shape) / full
    assert np.abs(found - values * alpha).max() <= (1 / full if full > 1 else 1e-6)


def test_what_is_no_number_in_a_map_is_nothing():
    data = np.array([math.nan, 1.0, math.inf, 1.0, 0.5, math.nan], "<f4").tobytes()
    assert np.frombuffer(samples.grey(data, "F32", 2), "<f4").tolist() == [0.0, 1.0, 0.0]
