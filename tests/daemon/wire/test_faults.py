"""What is wrong with a message is said in the protocol's words, and for programs."""

from __future__ import annotations

import copy

import msgpack
import pytest

from daemon.wire import codec, faults
from daemon.wire.refusal import Refused

IMAGE = {"width": 20, "height": 16, "channels": 3, "transfer": "srgb", "digest": "ab" * 32}
MAP = {"width": 20, "height": 16, "digest": "cd" * 32}
CAMERA = {"f_number": 2, "focal_length_mm": 50, "sensor_width_mm": 36, "focus_distance_m": 2}
MISSING = object()


def refused(**fields):
    header = {"type": "render", "id": "a", "image": IMAGE, **fields}
    with pytest.raises(Refused) as refusal:
        codec.decode_client(msgpack.packb(header))
    error = refusal.value.reply()
    assert codec.decode_server(codec.encode(error)) == error
    assert "$" not in error.message.replace("+$", ""), "no path as a library spells it"
    assert "Expected" not in error.message
    assert error.hint
    return error


def lens(**fields):
    return {"lens": {"kind": "lens", **fields}}


@pytest.mark.parametrize(
    ("fields", "field", "value", "limit"),
    [
        (lens(max_coc=-1), "lens.max_coc", -1, 0),
        (lens(max_coc=1e9), "lens.max_coc", 1e9, 1024),
        (lens(focus=2), "lens.focus", 2, 1),
        (lens(focus=float("nan")), "lens.focus", None, None),
        (lens(focus_point=[0.5, 1.5]), "lens.focus_point[1]", 1.5, 1),
        (lens(focus_point=[0.5]), "lens.focus_point", None, None),
        (lens(kernel=[[1.0], [-1.0]]), "lens.kernel[1][0]", -1, 0),
        (lens(kernel=[[1.0] * 65]), "lens.kernel[0]", None, 64),
        (lens(blades="six"), "lens.blades", "six", None),
        ({"preview": 1.5}, "preview", 1.5, None),
        ({"preview": float("inf")}, "preview", None, 65_535),
        ({"preview": -1}, "preview", -1, 0),
        ({"id": "x" * 65}, "id", "x" * 65, 64),
        ({"id": "ä"}, "id", "ä", None),
        ({"id": "a\n"}, "id", "a\n", None),
        ({"want": []}, "want", None, 1),
        ({"image": {**IMAGE, "width": 15}}, "image.width", 15, 16),
        ({"image": {**IMAGE, "channels": 5}}, "image.channels", 5, 4),
        ({"image": {**IMAGE, "digest": "AB" * 32}}, "image.digest", "AB" * 32, None),
        ({"image": 3}, "image", 3, None),
        ({"matte": {**MAP, "channels": 3}}, "matte.channels", 3, 1),
        ({"camera": {**CAMERA, "f_number": 0}}, "camera.f_number", 0, 0),
        ({"camera": {**CAMERA, "nearest_m": -1}}, "camera.nearest_m", -1, 0),
    ],
)
def test_field_value_and_limit_stand_beside_the_sentence(fields, field, value, limit):
    error = refused(**fields)
    assert (error.field, error.value, error.limit) == (field, value, limit)
    assert error.code == "bad_request"
    assert f"`{field}`" in error.message


@pytest.mark.parametrize(
    ("fields", "field", "allowed"),
    [
        (lens(blades=1), "lens.blades", {"0", "3", "16"}),
        (lens(blades=2), "lens.blades", {"0", "3", "16"}),
        ({"lens": {"kind": "pinhole"}}, "lens.kind", {"lens", "binned_gaussian", "preset"}),
        ({"lens": {"kind": "preset", "name": "x"}}, "lens.name", {"natural", "paper"}),
        ({"lens": {}}, "lens.kind", {"lens", "binned_gaussian"}),
        ({"subject": "people"}, "subject", {"main", "all", "none"}),
        ({"want": ["depht"]}, "want[0]", {"depth", "matte", "composite"}),
        ({"image": {**IMAGE, "transfer": "sRGB"}}, "image.transfer", {"srgb", "linear"}),
        ({"matte": {**MAP, "transfer": "srgb"}}, "matte.transfer", {"linear"}),
        ({"type": "dance"}, "type", {"hello", "render", "ping"}),
    ],
)
def test_what_may_stand_there_instead_is_listed(fields, field, allowed):
    error = refused(**fields)
    assert error.field == field
    assert set(error.allowed) >= allowed
    assert {"1", "2"}.isdisjoint(error.allowed)


@pytest.mark.parametrize("field", ["image", "image.transfer", "image.width", "id", "type"])
def test_what_is_missing_is_named(field):
    header = {"type": "render", "id": "a", "image": copy.copy(IMAGE)}
    *way, name = field.split(".")
    del (header[way[0]] if way else header)[name]
    with pytest.raises(Refused, match="is required") as refusal:
        codec.decode_client(msgpack.packb(header))
    assert refusal.value.field == field


@pytest.mark.parametrize("header", [b"", b"\xc1", b"\x01", b"\x90", b"\x81\xa4type\xa2\xff\xfe"])
def test_what_is_no_message_at_all_is_said_so(header):
    with pytest.raises(Refused, match=r"not (msgpack|a map)"):
        codec.decode_client(header)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"lens": {"kind": "binned_gaussian"}, "camera": CAMERA}, "camera"),
        (lens(max_coc=3) | {"camera": CAMERA}, "lens.max_coc"),
        (lens(focus=0.5) | {"camera": {**CAMERA, "nearest_m": 1}}, "lens.focus"),
        (lens(focus=0.5, focus_point=[0.5, 0.5]), "lens.focus"),
        (lens(kernel=[[1.0]], blades=5), "lens.blades"),
        ({"lens": {"kind": "preset", "name": "paper", "f_number": 2}}, "lens.f_number"),
        ({"lens": {"kind": "preset", "focus": 0.5, "focus_point": [0, 0]}}, "lens.focus"),
        ({"lens": {"kind": "preset"}, "camera": CAMERA}, "camera"),
        (lens(kernel=[[1.0]], ring=0.5), "lens.ring"),
        (lens(kernel=[[1.0], [1.0, 2.0]]), "lens.kernel"),
        (lens(kernel=[[0.0]]), "lens.kernel"),
        ({"matte": MAP, "matte_model": "x"}, "matte_model"),
        ({"depth": MAP, "depth_model": "x"}, "depth_model"),
        ({"painted": True}, "painted"),
        ({"matte": {**MAP, "width": 21}}, "matte.width"),
        ({"depth": {**MAP, "height": 21}}, "depth.height"),
        ({"want": ["depth", "depth"]}, "want"),
        ({"preview": 9, "region": {"left": 0, "top": 0, "width": 9, "height": 9}}, "preview"),
        ({"region": {"left": 12, "top": 0, "width": 9, "height": 9}}, "region.width"),
        ({"region": {"left": 0, "top": 8, "width": 9, "height": 9}}, "region.height"),
        ({"subject": "at_focus_point"}, "lens.focus_point"),
        ({"subject": "at_focus_point", "lens": {"kind": "binned_gaussian"}}, "lens.focus_point"),
        ({"camera": {**CAMERA, "focus_distance_m": None}}, "camera.focus_distance_m"),
        ({"camera": {**CAMERA, "focus_distance_m": 0.05}}, "camera.focus_distance_m"),
        ({"camera": {**CAMERA, "nearest_m": 3}}, "camera.focus_distance_m"),
        ({"camera": {**CAMERA, "farthest_m": 1}}, "camera.farthest_m"),
        ({"camera": {**CAMERA, "farthest_m": 2}}, "camera.farthest_m"),
        ({"camera": {**CAMERA, "focus_distance_m": None, "nearest_m": 0.01}}, "camera.nearest_m"),
    ],
)
def test_values_that_exclude_each_other_are_refused(fields, field):
    assert refused(**fields).field == field


def test_a_misspelt_field_is_told_what_it_may_be():
    header = msgpack.packb({"type": "render", "id": "a", "image": IMAGE, **lens(blade=6)})
    refusal = faults.unknown_field(header, "lens.blade")
    assert (refusal.field, refusal.hint) == ("lens.blade", "Did you mean `lens.blades`?")
    assert faults.unknown_field(header, "zzz").hint == "Leave it out."
    stroke = {"plane": "matte", "effect": "raise", "radius": 5.0, "points": [1, 2], "sofness": 1}
    header = msgpack.packb({"type": "render", "id": "a", "image": IMAGE, "strokes": [stroke]})
    assert codec.ignored(header, codec.decode_client(header)) == ["strokes[0].sofness"]
    refusal = faults.unknown_field(header, "strokes[0].sofness")
    assert refusal.hint == "Did you mean `strokes[0].softness`?"
    assert "preview" in faults.unknown_field(header, "zzz").allowed


def test_the_smallest_picture_is_the_librarys():
    from bokeh_core.limits import MIN_SIDE
    from daemon.wire import planes

    assert planes.MIN_SIDE == MIN_SIDE
