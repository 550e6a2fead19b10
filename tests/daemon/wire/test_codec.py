"""Whatever the bytes are, the codec gives a checked message or a typed refusal."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.wire import capabilities, codec, lens, planes, protocol
from daemon.wire.refusal import Refused

IMAGE = planes.Image(width=20, height=16, channels=3, transfer="srgb", digest="ab" * 32)
MATTE = planes.Map(width=20, height=16, digest="cd" * 32)
CLIENT_MESSAGES = [
    protocol.Hello(protocol=(1, 1), token="t", client="test 1", session="s1"),
    protocol.Render(id="r1", image=IMAGE, matte=MATTE, camera=None),
    protocol.Render(
        id="r2",
        image=IMAGE,
        lens=lens.Lens(focus=0.5),
        camera=lens.Camera(
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
    with pytest.raises(Refused, match=named) as refusal:
        codec.decode_client(msgpack.packb(plain))
    assert refusal.value.code == "bad_request"
    assert refusal.value.hint


def test_a_header_over_the_limit_is_too_large():
    with pytest.raises(Refused) as refusal:
        codec.decode_client(b"\x00" * (capabilities.MAX_HEADER_BYTES + 1))
    assert refusal.value.code == "too_large"


def test_deep_nesting_is_refused():
    with pytest.raises(Refused):
        codec.decode_client(b"\x81\xa1a" + b"\x91" * 60_000)


def test_a_broken_message_still_gives_its_id():
    plain = msgpack.unpackb(codec.encode(CLIENT_MESSAGES[1])) | {"preview": "big"}
    assert codec.request_id(msgpack.packb(plain)) == "r1"
    assert codec.request_id(b"\xc1") is None


def outcome(header):
    """Say `read` or the code of the refusal; any other exception is a failure."""
    try:
        codec.decode_client(header)
    except Refused as refusal:
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
        error = Refused(code, "what is wrong").reply("r1")
        assert codec.decode_server(codec.encode(error)) == error
        assert error.hint


def test_a_field_that_nobody_knows_is_listed():
    plain = msgpack.unpackb(codec.encode(CLIENT_MESSAGES[1])) | {"subjects": 1}
    plain["lens"] = {"kind": "lens", "blade": 6}
    plain["image"] = {**plain["image"], "x" * 100: 1}
    header = msgpack.packb(plain)
    found = codec.ignored(header, codec.decode_client(header))
    assert sorted(found) == sorted(["subjects", "lens.blade", "image." + "x" * 58])
    for message in CLIENT_MESSAGES:
        header = codec.encode(message)
        assert codec.ignored(header, codec.decode_client(header)) == []
    many = msgpack.packb({"type": "status", **dict.fromkeys(map(str, range(5000)))})
    assert len(codec.ignored(many, codec.decode_client(many))) == codec.MOST_NAMES


def test_what_plug_ins_said_before_is_taken():
    """The `render` of the first plug-ins, word for word: an editor's copy may be older."""
    plane = {"width": 64, "height": 48, "channels": 3, "dtype": "u8", "transfer": "srgb"}
    matte = {**plane, "channels": 1, "transfer": "linear", "digest": "0" * 64}
    look = {
        "kind": "lens",
        "focus": None,
        "focus_point": None,
        "focus_range": 0.05,
        "max_coc": 74.8,
        "foreground": 1.0,
        "blades": 0,
        "curvature": 0.0,
        "rotation": 0.0,
        "squeeze": 1.0,
        "cat_eye": 0.0,
        "ring": 0.0,
        "fringe": 0.0,
        "highlight_gain": 1.0,
        "grain": 0.0,
        "keep_subject_sharp": True,
    }
    said = {
        "type": "render",
        "id": "0123456789abcdef",
        "image": {**plane, "digest": "0" * 64},
        "matte": matte,
        "depth": None,
        "lens": look,
        "want": ["matte", "depth", "composite"],
        "subject": "main",
        "map_dtype": "u8",
        "preview": 0,
    }
    header = msgpack.packb(said)
    assert codec.ignored(header, codec.decode_client(header)) == []
    said["lens"] = {"kind": "binned_gaussian", "bins": 5, "strength": 0.6, "curve": 1.68}
    codec.decode_client(msgpack.packb(said))
