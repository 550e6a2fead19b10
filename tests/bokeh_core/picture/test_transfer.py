"""Codes to linear light and back: exact for integers, faithful to profiles."""

import contextlib
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import ImageCms

from bokeh_core.errors import InputError
from bokeh_core.picture import Picture, ToneCurve, from_linear, to_linear
from bokeh_core.picture.profile import ProfileError, transfer_of
from bokeh_core.rendering import display


def icc(space, **tags):
    """Build a minimal ICC profile with these curve tags."""
    table, body = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += struct.pack(">4sII", name.encode(), start + len(body), len(content))
        body += content
    header = bytearray(128)
    header[16:20] = space.encode()
    header[36:40] = b"acsp"
    return bytes(header) + struct.pack(">I", len(tags)) + table + body


def gamma(value):
    return struct.pack(">4sIIH", b"curv", 0, 1, round(value * 256)) + b"\0\0"


@pytest.mark.parametrize("transfer", ["srgb", "linear"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_code_survives(dtype, transfer):
    codes = np.arange(np.iinfo(dtype).max + 1).astype(dtype).reshape(-1, 1)
    np.testing.assert_array_equal(from_linear(to_linear(codes, transfer), dtype, transfer), codes)


def test_srgb_follows_the_standard():
    assert to_linear(np.array([0, 255], np.uint8)).tolist() == [0.0, 1.0]
    middle = to_linear(np.array([0.5], np.float32))[0]
    assert middle == pytest.approx(0.21404114, abs=1e-6)
    assert to_linear(np.array([0.04], np.float32))[0] == pytest.approx(0.04 / 12.92)


def test_srgb_on_tensors_is_the_same_curve():
    light = np.concatenate([np.linspace(0, 1, 4097), [2, 30]]).astype(np.float32)
    codes = display.encode(torch.from_numpy(light))
    np.testing.assert_allclose(codes, from_linear(light, np.float32), rtol=2e-6)
    np.testing.assert_allclose(display.decode(codes), to_linear(codes.numpy()), rtol=2e-6)


def test_float_light_beyond_white_and_below_black_is_kept():
    light = np.array([-0.5, 0.0, 1.0, 7.5], np.float32)
    back = to_linear(from_linear(light, np.float32))
    np.testing.assert_allclose(back, light, rtol=2e-6)


@pytest.mark.parametrize(
    "transfer", ["srgb", "linear", ToneCurve(np.linspace(0, 1, 65536)[None] ** 2)]
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_no_light_becomes_infinite(dtype, transfer):
    light = np.array([[-1e37], [-80000.0], [80000.0], [1e37]], np.float32)
    codes = from_linear(light, dtype, transfer)
    assert codes.dtype == dtype
    assert np.isfinite(codes).all()
    np.testing.assert_array_equal(codes, -codes[::-1])


def test_half_floats_are_decoded_at_full_precision():
    codes = np.array([0.001, 0.2, 7.0, 300.0], np.float16)
    np.testing.assert_allclose(to_linear(codes), to_linear(codes.astype(np.float32)), rtol=1e-6)


def test_integers_clip():
    codes = from_linear(np.array([-1.0, 0.0, 1.0, 9.0], np.float32), np.uint16)
    assert codes.tolist() == [0, 0, 65535, 65535]


@given(hnp.arrays(np.float32, st.integers(2, 50), elements=st.floats(0, 1, width=32)))
@settings(max_examples=50, deadline=None)
def test_light_order_is_kept(light):
    light = np.sort(light)
    assert (np.diff(from_linear(light, np.uint16).astype(int)) >= 0).all()


@pytest.mark.parametrize("dtype", [np.int16, np.uint32, np.complex64, bool])
def test_other_types_are_refused(dtype):
    with pytest.raises(InputError, match="uint8, uint16 or float"):
        to_linear(np.zeros(3, dtype))
    with pytest.raises(InputError, match="uint8, uint16 or float"):
        from_linear(np.zeros(3, np.float32), dtype)


def test_what_is_no_array_is_refused():
    with pytest.raises(InputError, match=r"got list: numpy\.asarray"):
        to_linear([0.5, 0.5, 0.5])


def test_a_profile_of_srgb_is_srgb():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert transfer_of(profile, "RGB ") == "srgb"


def test_gamma_profiles():
    assert transfer_of(icc("GRAY", kTRC=gamma(1.0)), "GRAY") == "linear"
    curve = transfer_of(icc("RGB ", rTRC=gamma(2.2), gTRC=gamma(2.2), bTRC=gamma(1.8)), "RGB ")
    assert isinstance(curve, ToneCurve)
    light = to_linear(np.full((1, 1, 3), 0.5, np.float32), curve)[0, 0]
    assert light.tolist() == pytest.approx([0.5**2.2, 0.5**2.2, 0.5**1.8], abs=1e-3)


def test_parametric_curve_of_srgb_is_srgb():
    values = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    curve = struct.pack(">4sIHH5i", b"para", 0, 3, 0, *(round(v * 65536) for v in values))
    assert transfer_of(icc("RGB ", rTRC=curve, gTRC=curve, bTRC=curve), "RGB ") == "srgb"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_codes_survive_a_gamma_curve(dtype):
    curve = transfer_of(icc("GRAY", kTRC=gamma(2.2)), "GRAY")
    codes = np.arange(np.iinfo(dtype).max + 1).astype(dtype).reshape(1, -1, 1)
    picture = Picture(codes, curve)
    np.testing.assert_array_equal(picture.with_linear(picture.linear()).pixels, codes)
    changed = np.nextafter(picture.linear(), np.float32(2))
    bright = slice(codes.shape[1] // 8, None)  # below, steps of gamma 2.2 are finer than float32's
    np.testing.assert_array_equal(picture.with_linear(changed).pixels[:, bright], codes[:, bright])


@pytest.mark.parametrize("power", [1.8, 2.2])
def test_a_gamma_curve_goes_on_beyond_its_ends(power):
    curve = transfer_of(icc("GRAY", kTRC=gamma(power)), "GRAY")
    codes = np.array([[-2.0], [-0.25], [0.0], [0.25], [1.0], [2.0], [50.0]], np.float32)
    light = to_linear(codes, curve)
    np.testing.assert_allclose(light, np.sign(codes) * np.abs(codes) ** power, rtol=5e-3)
    np.testing.assert_allclose(from_linear(light, np.float32, curve), codes, rtol=1e-5)


CURVES = {
    "gamma": np.linspace(0, 1, 65536) ** 2.2,
    "ends below white": 0.8 * np.linspace(0, 1, 65536) ** 1.5,
    "flat at its end": np.minimum(np.linspace(0, 1.3, 65536), 1.0),
    "a step": np.arange(65536) // 62000 * 1.0,
    "light at code 0": np.linspace(0.1, 1, 65536),
}


@pytest.mark.parametrize("name", CURVES)
def test_any_curve_goes_on_without_a_gap_and_can_be_undone(name):
    curve = ToneCurve(CURVES[name][None])
    codes = np.linspace(1.0, 8.0, 1000, dtype=np.float32)[:, None]
    light = to_linear(np.concatenate([-codes[::-1], codes]), curve)
    assert (np.diff(light, axis=0) > 0).all()
    assert to_linear(np.float32([[1.0]]), curve)[0, 0] == pytest.approx(CURVES[name][-1])
    np.testing.assert_allclose(from_linear(light[1000:], np.float32, curve), codes, rtol=1e-5)
    np.testing.assert_allclose(from_linear(light[:1000], np.float32, curve), -codes[::-1], 1e-5)
    clipped = from_linear(light[:, None], np.uint8, curve)
    assert to_linear(clipped[:1000], curve).max() == np.float32(CURVES[name][0])
    assert clipped[1000:].min() == 255


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        bytes(200),
        icc("CMYK", kTRC=gamma(2)),
        icc("RGB ", rTRC=b"curv", gTRC=gamma(1), bTRC=gamma(1)),
        icc("RGB "),
        icc("RGB ", rTRC=b"what" + bytes(8), gTRC=gamma(1), bTRC=gamma(1)),
        icc(
            "RGB ",
            rTRC=struct.pack(">4sII6H", b"curv", 0, 6, *[0] * 6),
            gTRC=gamma(1),
            bTRC=gamma(1),
        ),
    ],
)
def test_unusable_profiles_are_named_so(profile):
    with pytest.raises(ProfileError):
        transfer_of(profile, "RGB ")


@given(st.binary(min_size=132, max_size=300))
@settings(max_examples=200, deadline=None)
def test_random_profiles_never_crash(noise):
    profile = bytearray(noise)
    profile[16:20], profile[36:40] = b"RGB ", b"acsp"
    with contextlib.suppress(ProfileError):
        transfer_of(bytes(profile), "RGB ")
