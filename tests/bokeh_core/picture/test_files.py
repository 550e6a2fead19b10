"""Every kind of file in, the same kind out: pixels, orientation, profile and metadata kept."""

import io
import logging
import os
import stat
import struct
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageCms

from bokeh_core import picture
from bokeh_core.errors import InputError, OutputError
from bokeh_core.picture import Metadata, Picture, from_linear, png
from bokeh_core.picture.profile import transfer_of
from tests.bokeh_core.picture.test_transfer import gamma, icc

DTYPES = [np.uint8, np.uint16, np.float16, np.float32, np.float64]
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">kept</x:xmpmeta>'
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def noise(shape, dtype, seed=0):
    values = np.random.default_rng(seed).random(shape)
    if np.dtype(dtype).kind == "u":
        values = values * np.iinfo(dtype).max
    return values.astype(dtype)


def exif(orientation=1):
    block = Image.Exif()
    block[0x010F] = "Maker"
    block[0x0112] = orientation
    block.get_ifd(0x8769)[0x829D] = 1.8  # FNumber
    block.get_ifd(0x8825)[1] = "N"  # GPSLatitudeRef
    return block.tobytes().removeprefix(b"Exif\0\0")


def tags(block):
    read = Image.Exif()
    read.load(block)
    return read.get(0x010F), read.get_ifd(0x8769).get(0x829D), read.get_ifd(0x8825).get(1)


def lossless_suffixes(dtype):
    if np.dtype(dtype).kind == "f":
        return [".tif"]
    return [".tif", ".png", ".webp"] if dtype == np.uint8 else [".tif", ".png"]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("dtype", "suffix"), [(d, s) for d in DTYPES for s in lossless_suffixes(d)]
)
def test_pixels_and_metadata_come_back(tmp_path, dtype, suffix, channels):
    if suffix == ".webp" and channels < 3:
        pytest.skip("WebP has no grey")
    metadata = Metadata(None, exif(), XMP, (300.0, 300.0))
    path = tmp_path / f"p{suffix}"
    made = Picture(noise((20, 31, channels), dtype), metadata=metadata)
    picture.write(path, made, quality=100)
    back = picture.read(path)
    assert back.pixels.dtype == dtype
    np.testing.assert_array_equal(back.pixels, made.pixels)
    assert tags(back.metadata.exif) == ("Maker", 1.8, "N")
    assert back.metadata.xmp == XMP
    if suffix != ".webp":
        assert back.metadata.dpi == pytest.approx((300, 300), abs=0.01)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_profile_goes_through(tmp_path, suffix):
    path = tmp_path / f"p{suffix}"
    picture.write(path, Picture(noise((20, 20, 3), np.uint8), metadata=Metadata(icc=SRGB)))
    back = picture.read(path)
    assert back.metadata.icc == SRGB
    assert back.transfer == "srgb"


@pytest.mark.parametrize("channels", [1, 2])
def test_grey_with_a_profile_keeps_its_light_as_webp(tmp_path, channels):
    profile, path = icc("GRAY", kTRC=gamma(1.8)), tmp_path / "p.webp"
    codes = noise((20, 20, channels), np.uint8)
    codes[:8, :8] = (200, 255)[:channels]
    made = Picture(codes, transfer_of(profile, "GRAY"), Metadata(icc=profile))
    picture.write(path, made, quality=100)
    back = picture.read(path)
    assert back.notes == ()
    assert back.metadata.icc is None
    assert back.has_alpha == made.has_alpha
    shown = from_linear(made.linear(), np.uint8)
    visible = back.pixels[..., -1] > 0 if back.has_alpha else np.ones((20, 20), bool)
    np.testing.assert_array_equal(back.pixels[visible, :3], shown[visible])
    assert back.linear()[0, 0, 0] == pytest.approx((200 / 255) ** 1.8, abs=5e-3)


def test_a_grey_map_is_never_converted(tmp_path):
    values = noise((20, 20), np.float32)
    picture.write(tmp_path / "m.webp", picture.map_picture(values, np.uint8), quality=100)
    back = picture.read_map(tmp_path / "m.webp", (20, 20))
    np.testing.assert_allclose(back, values, atol=0.51 / 255)


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.tuples(st.integers(16, 20), st.integers(16, 20), st.sampled_from([1, 2, 3, 4])),
    ),
    st.sampled_from([".png", ".tif"]),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_integer_picture_round_trips(tmp_path, pixels, suffix):
    path = tmp_path / f"any{suffix}"
    picture.write(path, Picture(pixels))
    np.testing.assert_array_equal(picture.read(path).pixels, pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_orientation_is_applied_and_reset(tmp_path, suffix, orientation):
    upright = np.zeros((24, 40, 3), np.uint8)
    upright[:8, :8] = 255  # white top left
    upright[:8, -8:] = (255, 0, 0)  # red top right
    turns = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: np.rot90,
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    stored = Image.fromarray(np.ascontiguousarray(turns[orientation](upright)))
    options = {"quality": 95, "lossless": True} if suffix == ".webp" else {"quality": 95}
    path = tmp_path / f"turned{suffix}"
    block = Image.Exif()
    block[0x0112] = orientation
    stored.save(path, exif=block, **options)
    back = picture.read(path)
    assert back.pixels.shape == upright.shape
    np.testing.assert_allclose(back.pixels[2:6, 2:6].mean(axis=(0, 1)), [255] * 3, atol=12)
    np.testing.assert_allclose(back.pixels[2:6, -6:-2].mean(axis=(0, 1)), [255, 0, 0], atol=12)
    again = tmp_path / f"again{suffix}"
    picture.write(again, back)
    with Image.open(again) as written:
        assert written.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_resolution_turns_with_the_picture(tmp_path, suffix, orientation):
    block, path = Image.Exif(), tmp_path / f"p{suffix}"
    block[0x0112], block[0x011A], block[0x011B] = orientation, 300.0, 150.0
    Image.fromarray(noise((20, 30, 3), np.uint8)).save(path, exif=block, dpi=(300, 150))
    expected = (150, 300) if orientation in (6, 8) else (300, 150)
    picture.write(path, picture.read(path))
    back = picture.read(path)
    assert back.metadata.dpi == pytest.approx(expected, abs=0.02)
    if suffix != ".tif":  # whose EXIF block leaves the resolution to the file's own tags
        kept = Image.Exif()
        kept.load(back.metadata.exif)
        assert (kept[0x011A], kept[0x011B]) == expected


def test_thumbnail_of_the_old_picture_is_unlinked(tmp_path):
    first = struct.pack("<H", 1) + struct.pack("<HHII", 0x0112, 3, 1, 6)
    block = b"II*\0" + struct.pack("<I", 8) + first + struct.pack("<I", 26) + bytes(20)
    path = tmp_path / "p.jpg"
    Image.fromarray(noise((20, 30, 3), np.uint8)).save(path, exif=b"Exif\0\0" + block)
    kept = picture.read(path).metadata.exif
    assert struct.unpack_from("<I", kept, 22) == (0,)
    assert len(kept) == len(block)


def test_palette_becomes_rgb_and_transparency_alpha(tmp_path):
    palette = Image.fromarray(noise((20, 20, 3), np.uint8)).quantize(16)
    palette.save(tmp_path / "p.png")
    palette.save(tmp_path / "t.png", transparency=0)
    assert picture.read(tmp_path / "p.png").pixels.shape == (20, 20, 3)
    clear = picture.read(tmp_path / "t.png").pixels
    assert clear.shape == (20, 20, 4)
    assert (clear[..., 3] == 0).any()


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "packbits", "jpeg"])
def test_tiff_of_other_writers(tmp_path, compression):
    pixels = np.full((32, 32, 3), 90, np.uint8)
    path = tmp_path / "p.tif"
    tifffile.imwrite(path, pixels, photometric="rgb", compression=compression, tile=(16, 16))
    np.testing.assert_allclose(picture.read(path).pixels, pixels, atol=2)


def test_tiff_big_endian_planar_and_miniswhite(tmp_path):
    pixels = noise((20, 30, 3), np.uint16)
    path = tmp_path / "p.tif"
    tifffile.imwrite(
        path, pixels.transpose(2, 0, 1), byteorder=">", planarconfig="separate", photometric="rgb"
    )
    np.testing.assert_array_equal(picture.read(path).pixels, pixels)
    tifffile.imwrite(path, pixels[..., 0], photometric="miniswhite")
    np.testing.assert_array_equal(picture.read(path).pixels[..., 0], 65535 - pixels[..., 0])
    grey_alpha = pixels[..., :2]
    tifffile.imwrite(path, grey_alpha, photometric="miniswhite", extrasamples=["unassalpha"])
    back = picture.read(path).pixels
    np.testing.assert_array_equal(back[..., 0], 65535 - grey_alpha[..., 0])
    np.testing.assert_array_equal(back[..., 1], grey_alpha[..., 1])


def test_a_channel_of_a_tiff_that_is_no_alpha_is_left_out_and_said(tmp_path):
    path, pixels = tmp_path / "p.tif", noise((20, 20, 4), np.uint8)
    tifffile.imwrite(path, pixels, photometric="rgb", extrasamples=["unspecified"])
    found = picture.read(path)
    np.testing.assert_array_equal(found.pixels, pixels[..., :3])
    assert "no transparency" in found.notes[0]


def test_premultiplied_tiff_becomes_straight(tmp_path):
    pixels = np.zeros((20, 20, 4), np.uint8)
    pixels[...] = (50, 25, 0, 128)
    path = tmp_path / "p.tif"
    tifffile.imwrite(path, pixels, photometric="rgb", extrasamples=["assocalpha"])
    assert picture.read(path).pixels[0, 0].tolist() == [100, 50, 0, 128]


def test_float_without_profile_is_linear_and_integers_are_srgb(tmp_path):
    for dtype, transfer in ((np.float32, "linear"), (np.uint16, "srgb")):
        picture.write(tmp_path / "p.tif", Picture(noise((20, 20, 3), dtype)))
        assert picture.read(tmp_path / "p.tif").transfer == transfer


def test_a_float_picture_with_a_profile_keeps_its_highlights(tmp_path):
    codes = np.full((20, 20, 3), 0.5, np.float32)
    codes[2:5], codes[7:9] = 2.0, -0.1
    path, curve = tmp_path / "hdr.tif", gamma(2.2)
    picture.write(
        path, Picture(codes, metadata=Metadata(icc=icc("RGB ", rTRC=curve, gTRC=curve, bTRC=curve)))
    )
    back = picture.read(path)
    light = back.linear()
    assert light[3, 3].tolist() == pytest.approx([2.0**2.2] * 3, rel=1e-3)
    assert light[8].max() == 0
    brighter = back.with_linear(light * 2).pixels
    np.testing.assert_allclose(brighter[3, 3], 2.0 * 2 ** (1 / 2.2), rtol=1e-3)
    np.testing.assert_array_equal(brighter[8], codes[8])


def test_profile_of_another_kind_is_left_out_with_a_note(tmp_path):
    path = tmp_path / "p.png"
    Image.fromarray(noise((20, 20), np.uint8)).save(path, icc_profile=SRGB)
    back = picture.read(path)
    assert back.metadata.icc is None
    assert back.transfer == "srgb"
    assert len(back.notes) == 1


def test_xmp_about_lost_attachments_is_dropped(tmp_path):
    path = tmp_path / "p.jpg"
    gain_map = b'<x xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"/>'
    Image.fromarray(noise((20, 20, 3), np.uint8)).save(path, xmp=gain_map)
    assert picture.read(path).metadata.xmp is None


def test_blocks_too_long_for_jpeg_are_left_out(tmp_path):
    path = tmp_path / "p.jpg"
    metadata = Metadata(exif=exif() + bytes(70_000), xmp=XMP)
    picture.write(path, Picture(noise((20, 20, 3), np.uint8), metadata=metadata))
    assert picture.read(path).metadata.xmp == XMP
    assert picture.read(path).metadata.exif is None


def test_mpo_of_a_phone_is_its_first_picture(tmp_path):
    first, second = (Image.fromarray(np.full((20, 30, 3), v, np.uint8)) for v in (200, 10))
    first.save(tmp_path / "p.jpg", format="MPO", save_all=True, append_images=[second])
    assert picture.read(tmp_path / "p.jpg").pixels.mean() == pytest.approx(200, abs=2)


class TestWithLinear:
    @pytest.mark.parametrize("channels", [1, 2, 3, 4])
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_unchanged_light_gives_identical_codes(self, dtype, channels):
        made = Picture(noise((30, 20, channels), dtype), "srgb")
        np.testing.assert_array_equal(made.with_linear(made.linear()).pixels, made.pixels)

    def test_changes_land_where_they_are_and_alpha_stays(self):
        made = Picture(noise((30, 20, 4), np.uint16), "srgb")
        light = made.linear()
        light[5:9, 3:7] = 0.5
        out = made.with_linear(light).pixels
        changed = (out != made.pixels).any(axis=2)
        assert changed[5:9, 3:7].all()
        assert changed.sum() == 16
        np.testing.assert_array_equal(out[..., 3], made.pixels[..., 3])

    def test_grey_stays_grey(self):
        made = Picture(noise((30, 20, 1), np.uint8), "srgb")
        assert made.with_linear(np.full((30, 20, 3), 1.0, np.float32)).pixels.min() == 255

    def test_another_size_is_refused(self):
        with pytest.raises(InputError, match=r"\(30, 20, 3\), got \(20, 30, 3\)"):
            Picture(noise((30, 20, 3), np.uint8)).with_linear(np.zeros((20, 30, 3), np.float32))


class TestWriting:
    def test_what_a_format_cannot_hold_is_refused(self, tmp_path):
        for suffix, dtype, channels in (
            (".jpg", np.uint16, 3),
            (".jpg", np.uint8, 4),
            (".webp", np.float32, 3),
            (".png", np.float32, 3),
            (".bmp", np.uint8, 3),
            ("", np.uint8, 3),
        ):
            path = tmp_path / f"p{suffix}"
            with pytest.raises(OutputError, match=r"cannot"):
                picture.write(path, Picture(noise((20, 20, channels), dtype)))
            assert not path.exists()

    @pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
    @pytest.mark.parametrize("quality", [0, 150, -1])
    def test_a_quality_out_of_range_is_refused_for_every_format(self, tmp_path, suffix, quality):
        small = Picture(noise((20, 20, 3), np.uint8))
        with pytest.raises(InputError, match=f"quality must be 1 to 100, got {quality}"):
            picture.write(tmp_path / f"p{suffix}", small, quality=quality)
        assert list(tmp_path.iterdir()) == []

    def test_a_failed_write_leaves_the_old_file_and_no_rest(self, tmp_path, monkeypatch):
        path = tmp_path / "p.png"
        path.write_bytes(b"old")

        def full(*_args, **_options):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(png, "encode", full)
        with pytest.raises(OutputError, match=r"p\.png: No space left"):
            picture.write(path, Picture(noise((20, 20, 3), np.uint8)))
        assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]

    def test_an_interrupted_write_leaves_nothing(self, tmp_path, monkeypatch):
        def interrupted(*_args, **_options):
            raise KeyboardInterrupt

        monkeypatch.setattr(png, "encode", interrupted)
        with pytest.raises(KeyboardInterrupt):
            picture.write(tmp_path / "p.png", Picture(noise((20, 20, 3), np.uint8)))
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
    @pytest.mark.parametrize("swapped", ["while it is written", "before the exchange"])
    def test_a_link_put_in_the_way_changes_no_other_file(self, tmp_path, monkeypatch, swapped):
        private, target = tmp_path / "private", tmp_path / "shared" / "p.png"
        private.write_bytes(b"mine")
        private.chmod(0o600)
        target.parent.mkdir()

        def swap():
            (temporary,) = target.parent.glob(".defocus-*")
            temporary.unlink()
            temporary.symlink_to(private)

        if swapped == "while it is written":
            usual = png.encode
            monkeypatch.setattr(png, "encode", lambda *words: (swap(), usual(*words))[1])
        else:
            monkeypatch.setattr(os, "fsync", lambda _: swap())
        with pytest.raises(OutputError, match="another program changed the file"):
            picture.write(target, Picture(noise((20, 20, 3), np.uint8)))
        assert private.read_bytes() == b"mine"
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
        assert list(target.parent.iterdir()) == []

    def test_a_name_as_long_as_allowed(self, tmp_path):
        path = tmp_path / ("n" * 251 + ".png")
        picture.write(path, Picture(noise((20, 20, 3), np.uint8)))
        assert picture.read(path).width == 20
        with pytest.raises(OutputError, match="too long"):
            picture.write(tmp_path / ("n" * 300 + ".png"), Picture(noise((20, 20, 3), np.uint8)))

    def test_write_protected_targets_are_refused_also_for_root(self, tmp_path):
        path = tmp_path / "p.png"
        path.write_bytes(b"mine")
        path.chmod(0o444)
        with pytest.raises(OutputError, match="write-protected"):
            picture.write(path, Picture(noise((20, 20, 3), np.uint8)))
        assert path.read_bytes() == b"mine"

    def test_folders_and_missing_folders_are_refused(self, tmp_path):
        (tmp_path / "d.png").mkdir()
        small = Picture(noise((20, 20, 3), np.uint8))
        with pytest.raises(OutputError, match="is a folder"):
            picture.write(tmp_path / "d.png", small)
        with pytest.raises(OutputError, match="no such folder"):
            picture.write(tmp_path / "nowhere" / "p.png", small)

    def test_mode_follows_the_umask_or_the_replaced_file(self, tmp_path):
        path = tmp_path / "p.png"
        small = Picture(noise((20, 20, 3), np.uint8))
        picture.write(path, small)
        assert not stat.S_IMODE(path.stat().st_mode) & 0o111
        path.chmod(0o640)
        picture.write(path, small)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_jpeg_of_the_result_has_full_colour_resolution(tmp_path):
    path = tmp_path / "p.jpg"
    picture.write(path, Picture(noise((32, 32, 3), np.uint8)))
    with Image.open(io.BytesIO(path.read_bytes())) as written:
        assert written.layer[0][1:3] == (1, 1)


def test_reads_in_several_threads_leave_the_process_as_it_was(tmp_path, monkeypatch):
    def settings_of_the_process():
        level = logging.getLogger("tifffile").level
        return Image.MAX_IMAGE_PIXELS, level, list(warnings.filters)

    for name in ("first", "second"):
        picture.write(tmp_path / f"{name}.png", Picture(noise((20, 20, 3), np.uint8, len(name))))
    reached = {step: threading.Event() for step in ("first", "second", "first ended")}
    seen = []

    usual = png.metadata

    def interleaved(data):
        """Let the second read begin within the first and end after it."""
        name, awaited = "first", "second"
        if data == (tmp_path / "second.png").read_bytes():
            name, awaited = "second", "first ended"
        reached[name].set()
        assert reached[awaited].wait(10)
        seen.append(Image.MAX_IMAGE_PIXELS)
        return usual(data)

    monkeypatch.setattr("bokeh_core.picture.png.metadata", interleaved)
    before = settings_of_the_process()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(picture.read, tmp_path / "first.png")
        assert reached["first"].wait(10)
        second = pool.submit(picture.read, tmp_path / "second.png")
        first.result()
        reached["first ended"].set()
        second.result()
    assert seen == [None, None]
    assert settings_of_the_process() == before


class TestAnArrayIsWritten:
    """`write` takes what `render` gives, or says what else is wanted."""

    @pytest.fixture
    def light(self):
        return np.linspace(0, 1.5, 20 * 30 * 3, dtype=np.float32).reshape(20, 30, 3)

    @pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
    def test_light_becomes_srgb_as_fine_as_the_format_has_it(self, tmp_path, light, suffix):
        picture.write(tmp_path / f"out{suffix}", light, quality=100)
        back = picture.read(tmp_path / f"out{suffix}")
        fine = suffix in (".png", ".tif")
        assert back.pixels.dtype == (np.uint16 if fine else np.uint8)
        assert back.transfer == "srgb"
        wanted = np.clip(light, 0, 1)
        exact = {".png": 1e-4, ".tif": 1e-4, ".webp": 0.01, ".jpg": 0.1}[suffix]
        np.testing.assert_allclose(back.linear(), wanted, atol=exact)

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_codes_stay_as_they_are(self, tmp_path, dtype):
        codes = np.arange(16 * 16 * 3).reshape(16, 16, 3).astype(dtype)
        picture.write(tmp_path / "out.png", codes)
        np.testing.assert_array_equal(picture.read(tmp_path / "out.png").pixels, codes)

    @pytest.mark.parametrize(
        ("array", "words"),
        [
            (np.zeros((20, 30), np.float32), "write_map writes mattes and depth"),
            (np.zeros((20, 30, 7), np.uint8), r"shape \(H, W, 3\), got \(20, 30, 7\)"),
            (np.zeros((3, 20, 30), np.float32), "numpy.moveaxis"),
            (np.full((20, 30, 3), 200.0, np.float32), "look like codes of a file"),
            ([[0.5]], "got list: numpy.asarray"),
            (np.zeros((20, 30, 3), bool), "got bool: take"),
        ],
    )
    def test_others_are_refused_with_the_cure(self, tmp_path, array, words):
        with pytest.raises(InputError, match=words):
            picture.write(tmp_path / "out.png", array)
        assert not list(tmp_path.iterdir())


def test_only_light_is_put_back_into_a_picture():
    photo = Picture(np.full((20, 30, 3), 128, np.uint8))
    with pytest.raises(InputError, match=r"got uint8: bokeh_core.picture.to_linear"):
        photo.with_linear(np.full((20, 30, 3), 128, np.uint8))
    with pytest.raises(InputError, match=r"expected light of shape \(20, 30, 3\)"):
        photo.with_linear(np.zeros((30, 20, 3), np.float32))
