"""Whatever is wrong with a file: one clear InputError that starts with its name."""

import io
import struct
import tracemalloc
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bokeh_core import picture
from bokeh_core.errors import InputError, OutputError
from bokeh_core.picture import Metadata, Picture, heif
from tests.bokeh_core.picture.corpus.test_metadata import XMP, camera
from tests.bokeh_core.picture.corpus.test_phone_depth import NEAR, beside, mpo, small


def encoded(kind, size=(40, 30), mode="RGB", **options):
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(file, format=kind, **options)
    return file.getvalue()


def wide_png():
    file = io.BytesIO()
    values = np.random.default_rng(0).integers(0, 65535, (30, 40), dtype=np.uint16)
    Image.fromarray(values).save(file, format="PNG")
    return file.getvalue()


def png_header(width, height):
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    tiny = zlib.compress(bytes(1000))
    data = b"IDAT" + tiny
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + body
        + struct.pack(">I", zlib.crc32(body))
        + struct.pack(">I", len(tiny))
        + data
        + struct.pack(">I", zlib.crc32(data))
    )


def tiff(**options):
    file = io.BytesIO()
    tifffile.imwrite(file, **options)
    return file.getvalue()


def animated(kind):
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "green", "blue")]
    file = io.BytesIO()
    frames[0].save(file, format=kind, save_all=True, append_images=frames[1:], duration=50)
    return file.getvalue()


BAD = {
    "empty": (b"", "empty"),
    "text": (b"hello, this is not a picture", "not a picture"),
    "one pixel": (encoded("PNG", (1, 1)), "1 x 1"),
    "too narrow": (encoded("PNG", (400, 15)), "400 x 15"),
    "20000 x 20000": (png_header(20000, 20000), "400 megapixels"),
    "cut JPEG": (encoded("JPEG")[:700], "truncated"),
    "cut PNG": (encoded("PNG")[:-400], "damaged|truncated"),
    "cut 16-bit PNG": (wide_png()[:-300], "damaged|truncated"),
    "cut WebP": (encoded("WEBP")[:-100], "damaged|truncated"),
    "cut TIFF": (tiff(data=np.zeros((40, 40, 3), np.uint16), photometric="rgb")[:500], "truncated"),
    "flipped PNG": (encoded("PNG")[:100] + b"xxxx" + encoded("PNG")[104:], "damaged"),
    "flipped 16-bit PNG": (wide_png()[:300] + b"xxxx" + wide_png()[304:], "damaged"),
    "animated PNG": (animated("PNG"), "3 frames"),
    "animated WebP": (animated("WEBP"), "3 frames"),
    "TIFF pages": (
        tiff(data=np.zeros((3, 40, 40), np.uint8), photometric="minisblack"),
        "3 pages",
    ),
    "TIFF of 32-bit integers": (tiff(data=np.zeros((40, 40), np.uint32)), "uint32"),
    "NaN": (tiff(data=np.full((40, 40, 3), np.nan, np.float32), photometric="rgb"), "NaN"),
    "infinite": (tiff(data=np.full((40, 40), np.inf, np.float32)), "NaN or infinite"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_line(tmp_path, name):
    data, words = BAD[name]
    path = tmp_path / "bad.pic"
    path.write_bytes(data)
    with pytest.raises(InputError, match=words) as refused:
        picture.read(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        picture.read(tmp_path / "absent.png")
    with pytest.raises(InputError, match="is a folder"):
        picture.read(tmp_path)


def test_a_bomb_is_refused_before_memory_is_taken(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(60000, 60000))
    tracemalloc.start()
    with pytest.raises(InputError, match="3600 megapixels"):
        picture.read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6


WIDE = np.zeros((64, 64, 3), np.uint16)
SOURCES = [
    encoded("PNG"),
    encoded("JPEG"),
    encoded("WEBP"),
    wide_png(),
    tiff(data=np.zeros((40, 40, 3), np.uint16), photometric="rgb", compression="zlib"),
    encoded("GIF"),
    encoded("BMP"),
    encoded("AVIF", quality=50, exif=camera()),
    encoded("JPEG", exif=b"Exif\0\0" + camera(), xmp=XMP, comment=b"c"),
    bytes(imagecodecs.jpegxl_encode(np.zeros((30, 40, 3), np.uint8), usecontainer=True)),
    *([] if heif.library() is None else [heif.encode(WIDE, Metadata(exif=camera()), 50)]),
    mpo(6, beside(small(NEAR), AuxiliaryImageType="disparity")),
]


@given(st.sampled_from(SOURCES), st.data())
@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_mutated_files_are_read_or_refused(tmp_path, source, data):
    mutated = bytearray(source)
    for _ in range(data.draw(st.integers(1, 6))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(mutated))))
    path = tmp_path / "mutated"
    path.write_bytes(bytes(mutated[:cut]))
    try:
        found = picture.read(path)
    except InputError:
        return
    assert found.pixels.ndim == 3
    assert picture.phone_maps(path, found).depth is None or found.format in {"JPEG", "HEIC"}


class TestMaps:
    @pytest.mark.parametrize(
        ("dtype", "suffix", "step"),
        [(np.uint8, ".png", 1 / 255), (np.uint16, ".png", 1 / 65535), (np.float32, ".tif", 1e-7)],
    )
    def test_round_trip(self, tmp_path, dtype, suffix, step):
        values = np.random.default_rng(3).random((20, 30)).astype(np.float32)
        picture.write_map(tmp_path / f"m{suffix}", values, dtype)
        back = picture.read_map(tmp_path / f"m{suffix}", (30, 20))
        assert np.abs(back - values).max() <= 0.51 * step

    def test_half_grey_is_one_half_not_linear_light(self, tmp_path):
        Image.fromarray(np.full((20, 20), 128, np.uint8)).save(tmp_path / "m.png")
        value = picture.read_map(tmp_path / "m.png", (20, 20))[0, 0]
        assert value == pytest.approx(128 / 255)

    def test_grey_stored_as_rgb_is_a_map(self, tmp_path):
        Image.new("RGB", (20, 20), (51, 51, 51)).save(tmp_path / "m.png")
        assert picture.read_map(tmp_path / "m.png", (20, 20))[0, 0] == pytest.approx(0.2)

    def test_unusable_maps_are_refused(self, tmp_path):
        Image.new("RGB", (20, 20), (51, 0, 51)).save(tmp_path / "colour.png")
        Image.new("L", (20, 30)).save(tmp_path / "size.png")
        tifffile.imwrite(tmp_path / "metres.tif", np.full((20, 20), 3.5, np.float32))
        with pytest.raises(InputError, match="must be grey"):
            picture.read_map(tmp_path / "colour.png", (20, 20))
        with pytest.raises(InputError, match="is 20 x 30 pixels, but the picture is 20 x 20"):
            picture.read_map(tmp_path / "size.png", (20, 20))
        with pytest.raises(InputError, match=r"within 0 to 1"):
            picture.read_map(tmp_path / "metres.tif", (20, 20))

    @pytest.mark.parametrize(("least", "most"), [(0.5, 1.0000001), (-0.0009, 1.0), (0.0, 1.0009)])
    def test_values_just_outside_are_cut_off(self, tmp_path, least, most):
        stored = np.linspace(least, most, 400, dtype=np.float32).reshape(20, 20)
        tifffile.imwrite(tmp_path / "m.tif", stored)
        back = picture.read_map(tmp_path / "m.tif", (20, 20))
        np.testing.assert_array_equal(back, np.clip(stored, 0, 1))

    @pytest.mark.parametrize(
        ("value", "words"), [(1.0010022, r"to 1\.001002; "), (-0.00100025, r"from -0\.00100025 to")]
    )
    def test_values_farther_out_are_named_with_enough_digits(self, tmp_path, value, words):
        stored = np.zeros((20, 20), np.float32)
        stored[0, 0] = value
        tifffile.imwrite(tmp_path / "m.tif", stored)
        with pytest.raises(InputError, match=words):
            picture.read_map(tmp_path / "m.tif", (20, 20))

    def test_png_cannot_hold_a_float_map(self, tmp_path):
        with pytest.raises(OutputError, match="float"):
            picture.write_map(tmp_path / "m.png", np.zeros((20, 20), np.float32), np.float32)


def test_a_grey_picture_with_alpha_is_taken(tmp_path):
    Image.new("LA", (20, 20), (100, 50)).save(tmp_path / "la.png")
    back = picture.read(tmp_path / "la.png")
    assert isinstance(back, Picture)
    assert back.pixels[0, 0].tolist() == [100, 50]
    assert back.linear().shape == (20, 20, 3)


@pytest.mark.parametrize("shape", [(20, 30, 3), (20,)])
def test_what_is_no_map_is_not_written_as_one(tmp_path, shape):
    with pytest.raises(InputError, match=r"values must have shape \(H, W\)"):
        picture.write_map(tmp_path / "m.png", np.zeros(shape, np.float32))
    with pytest.raises(InputError, match="divide by 255"):
        picture.write_map(tmp_path / "m.png", np.zeros((20, 30), np.uint8))
    assert not list(tmp_path.iterdir())


def test_the_size_of_a_map_is_width_and_height(tmp_path):
    picture.write_map(tmp_path / "m.png", np.zeros((20, 30), np.float32))
    with pytest.raises(InputError, match=r"size must be \(width, height\), got \(20, 30, 3\)"):
        picture.read_map(tmp_path / "m.png", (20, 30, 3))


def test_light_that_is_no_number_is_refused():
    photo = Picture(pixels=np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(InputError, match="got NaN"):
        photo.with_linear(np.full((20, 30, 3), np.nan, np.float32))
