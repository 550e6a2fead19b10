"""Our part of msgpack against the library."""

from __future__ import annotations

import math

import msgpack as library
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.light import msgpack

single = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
)
values = st.recursive(
    single,
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(), inner, max_size=20),
    max_leaves=40,
)


@given(values)
def test_the_bytes_are_the_librarys(value):
    assert msgpack.packb(value) == library.packb(value)


@given(values)
def test_the_librarys_bytes_are_read(value):
    assert msgpack.unpackb(library.packb(value)) == value


@given(st.floats(width=32, allow_nan=False))
def test_short_floats_are_read(value):
    assert msgpack.unpackb(library.packb(value, use_single_float=True)) == value


@pytest.mark.parametrize("count", [15, 16, 31, 32, 255, 256, 65535, 65536])
@pytest.mark.parametrize("make", ["text", "binary", "array", "map"])
def test_every_length_has_its_form(make, count):
    value = {
        "text": "x" * count,
        "binary": bytes(count),
        "array": [None] * count,
        "map": {str(number): 1 for number in range(count)},
    }[make]
    data = library.packb(value)
    assert msgpack.packb(value) == data
    assert msgpack.unpackb(data) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_unreadable(data):
    try:
        value = msgpack.unpackb(data)
    except msgpack.Unreadable:
        return
    expected = library.unpackb(data)
    assert repr(value) == repr(expected)  # NaN is not itself


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "ends too early"),
        (b"\xa5ab", "ends too early"),
        (b"\xdd\xff\xff\xff\xff", "ends too early"),
        (b"\xc0\xc0", "1 bytes too many"),
        (b"\xc1", "begins no value"),
        (b"\xc7\x01\x05a", "begins no value"),
        (b"\xa1\xff", "no UTF-8"),
        (b"\x81\x01\x01", "no text"),
        (b"\x81\x90\x01", "no text"),
        (b"\x91" * 100 + b"\xc0", "within each other"),
    ],
)
def test_what_is_wrong_is_said(data, why):
    with pytest.raises(msgpack.Unreadable, match=why):
        msgpack.unpackb(data)


def test_what_has_no_bytes_is_refused():
    with pytest.raises(TypeError, match="no object"):
        msgpack.packb(object())
    with pytest.raises(OverflowError, match="64 bits"):
        msgpack.packb(2**64)
    assert math.isnan(msgpack.unpackb(msgpack.packb(math.nan)))
