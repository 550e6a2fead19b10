"""Whatever the bytes are, the codec gives a checked message or a typed refusal."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon import codec, figures, protocol

PLANE = protocol.Plane(width=4, height=3, channels=3, transfer="srgb", digest="ab" * 32)
CLIENT_MESSAGES = [
    protocol.Hello(protocol=(1, 1), token="t", client="test 1", session="s1"),
    protocol.Render(id="r1", image=PLANE, matte=PLANE, camera=None),
    protocol.Render(
        id="r2",
        image=PLANE,
        lens=protocol.BinnedGaussian(bins=3),
        camera=protocol.Camera(
            f_number=1.8, focal_length_mm=50, sensor_width_mm=36, focus_distance_m=2
        ),
    ),
    protocol.Pixels(id="r1", planes=["image", "matte"]),
    protocol.Cancel(id="r1"),
    protocol.Ping(nonce=7),
    protocol.Status(),
    protocol.Shutdown(drain=False),
]
each = pytest.mark.parametrize("message", CLIENT_MESSAGES, ids=lambda m: type(m).__name__)


@each
def test_a_message_survives_the_wire(message):
    assert codec.decode_client(codec.encode(message)) == message


@each
def test_unknown_fields_are_ignored(message):
    plain = msgpack.unpackb(codec.encode(message)) | {"a_later_minor": [1, {"x": None}]}
    assert codec.decode_client(msgpack.packb(plain)) == message


@pytest.mark.parametrize(
    ("patch", "named"),
    [
        ({"id": "white space"}, "id"),
        ({"id": "x" * 65}, "id"),
        ({"image": {"width": 1}}, "image"),
        ({"want": []}, "want"),
        ({"want": ["everything"]}, "want"),
        ({"preview": -1}, "preview"),
        ({"lens": {"kind": "lens", "max_coc": float("nan")}}, "max_coc"),
        ({"lens": {"kind": "lens", "kernel": [[float("nan")]]}}, "NaN"),
        ({"lens": {"kind": "pinhole"}}, "pinhole"),
        ({"lens": {"kind": "lens", "focus": "near"}}, "focus"),
        ({"type": "reboot"}, "reboot"),
    ],
)
def test_a_wrong_value_is_named(patch, named):
    plain = msgpack.unpackb(codec.encode(CLIENT_MESSAGES[1])) | patch
    with pytest.raises(codec.Refused, match=named) as refusal:
        codec.decode_client(msgpack.packb(plain))
    assert refusal.value.code == "bad_request"
    assert refusal.value.hint


def test_a_header_over_the_limit_is_too_large():
    with pytest.raises(codec.Refused) as refusal:
        codec.decode_client(b"\x00" * (figures.MAX_HEADER_BYTES + 1))
    assert refusal.value.code == "too_large"


def test_deep_nesting_is_refused():
    with pytest.raises(codec.Refused):
        codec.decode_client(b"\x81\xa1a" + b"\x91" * 60_000)


def test_a_broken_message_still_gives_its_id():
    plain = msgpack.unpackb(codec.encode(CLIENT_MESSAGES[1])) | {"preview": "big"}
    assert codec.request_id(msgpack.packb(plain)) == "r1"
    assert codec.request_id(b"\xc1") is None


def outcome(header):
    """Say `read` or the code of the refusal; any other exception is a failure."""
    try:
        codec.decode_client(header)
    except codec.Refused as refusal:
        return refusal.code
    return "read"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_refused_or_read(data):
    assert outcome(data) in {"read", "bad_request"}
    codec.request_id(data)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(CLIENT_MESSAGES),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_flipped_bytes_are_refused_or_read(message, flips):
    header = bytearray(codec.encode(message))
    for where, value in flips:
        header[where % len(header)] = value
    assert outcome(bytes(header)) in {"read", "bad_request"}


def test_every_error_code_has_a_default_reply():
    for code in protocol.ERRORS:
        error = codec.Refused(code, "what is wrong").reply("r1")
        assert codec.decode_server(codec.encode(error)) == error
        assert error.hint
