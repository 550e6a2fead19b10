"""Colour is what the file says: numbers, curves and profiles, kept in every format."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from bokeh_core.picture import Metadata, Picture, to_linear
from bokeh_core.picture.colour import SRGB_D50, ColourTags, icc_profile
from bokeh_core.picture.profile import is_srgb, transfer_of
from tests.bokeh_core.picture.corpus.made import exif, jpeg, png, scene

CHRM_P3 = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
WIDE = scene().astype(np.uint16) * 257


def gama(exponent):
    return b"gAMA", struct.pack(">I", round(exponent * 100_000))


@pytest.mark.parametrize("exponent", [1.0, 1 / 1.8, 1 / 2.6, 0.3])
@pytest.mark.parametrize("pixels", [scene(), WIDE, scene()[..., :1]], ids=["8", "16", "grey"])
def test_gama_is_the_exponent(read, again, exponent, pixels):
    found = read(png(pixels, gama(exponent)), "p.png")
    full = np.iinfo(pixels.dtype).max
    light = (pixels / full) ** (1 / exponent)
    np.testing.assert_allclose(found.linear(), np.broadcast_to(light, (40, 64, 3)), atol=2e-4)
    for suffix in (".png", ".tif"):
        back, lost = again(found, suffix)
        np.testing.assert_allclose(back.linear(), found.linear(), atol=2e-3)
        assert lost == ()
    assert again(found, ".png")[0].metadata.colour == found.metadata.colour


@pytest.mark.parametrize("chunks", [[gama(0.45455)], [(b"sRGB", b"\0"), gama(0.3)], []])
def test_what_says_srgb_is_srgb(read, chunks):
    assert read(png(scene(), *chunks), "p.png").transfer == "srgb"


@pytest.mark.parametrize("body", [bytes(4), b"\xff" * 4, b"\0\0\1"])
def test_a_senseless_gama_counts_as_none(read, body):
    assert read(png(scene(), (b"gAMA", body)), "p.png").transfer == "srgb"


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp", ".avif"])
def test_display_p3_stays_display_p3(read, again, suffix):
    found = read(png(scene(), (b"cICP", bytes((12, 13, 0, 1)))), "p.png")
    assert found.transfer == "srgb"
    back, _ = again(found, suffix)
    if suffix == ".png":
        assert back.metadata.colour.cicp == (12, 13, 0, 1)
    else:
        tags = dict(profile_tags(back.metadata.icc))
        red = np.array(struct.unpack_from(">3i", tags[b"rXYZ"], 8)) / 65536
        np.testing.assert_allclose(
            red, [0.51512, 0.2412, -0.00105], atol=2e-4
        )  # Apple's Display P3


def profile_tags(profile):
    (count,) = struct.unpack_from(">I", profile, 128)
    for index in range(count):
        name, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        yield name, profile[offset : offset + size]


def test_chrm_alone_is_kept_as_primaries(read, again):
    found = read(png(scene(), (b"cHRM", CHRM_P3), gama(0.45455)), "p.png")
    assert again(found, ".png")[0].metadata.colour == found.metadata.colour
    assert not is_srgb(again(found, ".tif")[0].metadata.icc)


def interoperability(order, index, space):
    return exif(
        {0x010F: (2, b"Maker\0")},
        order,
        {0x8769: {0xA001: (3, space)}, 0xA005: {0x0001: (2, index + b"\0")}},
    )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("index", "space", "is_adobe"),
    [(b"R03", 0xFFFF, True), (b"R98", 1, False), (b"R98", 2, True), (b"THM", 0xFFFF, False)],
)
def test_adobe_rgb_by_exif_alone(read, again, order, index, space, is_adobe):
    block = interoperability(order, index, space)
    found = read(jpeg(scene(), (0xE1, b"Exif\0\0" + block)), "p.jpg")
    assert any("Adobe RGB" in note for note in found.notes) == is_adobe
    if not is_adobe:
        assert found.transfer == "srgb"
        return
    np.testing.assert_allclose(
        found.linear(), (found.pixels / 255.0) ** (563 / 256), atol=2e-4, rtol=1e-3
    )
    for suffix in (".jpg", ".tif", ".png"):
        back, lost = again(found, suffix)
        assert lost == ()
        np.testing.assert_allclose(back.linear(), found.linear(), atol=2e-2)
    tags = dict(profile_tags(again(found, ".jpg")[0].metadata.icc))
    green = np.array(struct.unpack_from(">3i", tags[b"gXYZ"], 8)) / 65536
    np.testing.assert_allclose(green, [0.20528, 0.62567, 0.06087], atol=3e-4)  # Adobe's own profile


def test_a_profile_stands_above_exifs_colour_space(read):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    block = b"Exif\0\0" + interoperability("<", b"R03", 0xFFFF)
    segment = (0xE2, b"ICC_PROFILE\0\1\1" + profile)
    found = read(jpeg(scene(), (0xE1, block), segment), "p.jpg")
    assert found.transfer == "srgb"
    assert found.notes == ()


@pytest.mark.parametrize(
    ("number", "signal", "light"),
    [
        (16, 0.5806889, 1.0),  # BT.2408: diffuse white of 203 cd/m2 stands at 58 % of PQ
        (16, 1.0, 10000 / 203),
        (18, 0.75, 1.0),  # and at 75 % of HLG
        (18, 0.5, 1 / 12 / 0.26496256),
        (1, 0.5, ((0.5 + 0.099) / 1.099) ** (1 / 0.45)),
        (4, 0.5, 0.5**2.2),
        (8, 0.5, 0.5),
        (13, 0.5, 0.21404114),
    ],
)
def test_transfers_of_cicp_are_those_of_their_standards(read, number, signal, light):
    pixels = np.full((20, 20, 3), round(signal * 65535), np.uint16)
    found = read(png(pixels, (b"cICP", bytes((9, number, 0, 1)))), "p.png")
    assert found.linear()[0, 0, 0] == pytest.approx(light, rel=2e-3)


@pytest.mark.parametrize("number", [1, 4, 5, 8, 13, 16, 17, 18])
@pytest.mark.parametrize("full_range", [0, 1])
def test_unchanged_light_gives_identical_codes_and_changed_light_comes_back(
    read, number, full_range
):
    found = read(png(WIDE, (b"cICP", bytes((9, number, 0, full_range)))), "p.png")
    light = found.linear()
    np.testing.assert_array_equal(found.with_linear(light).pixels, WIDE)
    half = found.with_linear(light * np.float32(0.5))
    np.testing.assert_allclose(half.linear(), light * 0.5, rtol=0.02, atol=1e-4)


def test_cicp_stands_above_a_profile_and_srgb_above_gama(read):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    import zlib

    chunks = [(b"cICP", bytes((1, 8, 0, 1))), (b"iCCP", b"n\0\0" + zlib.compress(srgb))]
    assert read(png(scene(), *chunks), "p.png").transfer == "linear"


class TestProfiles:
    @pytest.mark.parametrize("number", [1, 4, 8, 13, 16, 18])
    @pytest.mark.parametrize("grey", [False, True])
    def test_made_profiles_say_what_the_numbers_said(self, number, grey):
        tags = ColourTags(cicp=(12, number, 0, 1))
        profile = icc_profile(tags, grey=grey)
        ImageCms.ImageCmsProfile(ImageCms.core.profile_frombytes(profile))  # littleCMS takes it
        codes = np.linspace(0, 1, 500, dtype=np.float32)[:, None]
        back = to_linear(codes, transfer_of(profile, "GRAY" if grey else "RGB ")) if grey else None
        if back is None:
            three = np.repeat(codes, 3, axis=1)
            back = to_linear(three, transfer_of(profile, "RGB "))[:, :1]
        there = to_linear(codes, tags.transfer())
        peak = there.max() if number in (16, 18) and grey else 1  # a curve alone ends at 1
        np.testing.assert_allclose(back, there / peak, rtol=0.02, atol=2e-3)

    def test_the_colours_of_a_made_profile_are_littlecms_own(self):
        srgb = ImageCms.createProfile("sRGB")
        made = ImageCms.ImageCmsProfile(
            ImageCms.core.profile_frombytes(icc_profile(ColourTags(cicp=(1, 13, 0, 1)), grey=False))
        )
        image = Image.fromarray(scene())
        shown = ImageCms.profileToProfile(image, made, srgb)
        assert np.abs(np.asarray(shown).astype(int) - scene()).max() <= 1
        np.testing.assert_allclose(SRGB_D50.sum(axis=1), [0.9642, 1.0, 0.8249], atol=5e-4)

    def test_a_profile_of_lookup_tables_is_measured_finely(self, read, tmp_path):
        """Scene-linear by A2B only: its dark codes are told apart."""
        profile = lut_profile(gamma=1.0)
        path = tmp_path / "made.png"
        Image.fromarray(scene()).save(path, icc_profile=profile)
        found = read(path.read_bytes(), "p.png")
        np.testing.assert_allclose(found.linear(), scene() / 255, atol=4e-3)
        assert found.metadata.icc == profile
        assert found.notes == ()


def lut_profile(gamma):
    """An RGB input profile whose only transform is an 8-bit lookup table to XYZ."""
    grid = 17
    axes = np.linspace(0, 1, grid) ** gamma
    r, g, b = np.meshgrid(axes, axes, axes, indexing="ij")
    xyz = np.stack((r, g, b), axis=-1) @ SRGB_D50.T
    table = np.rint(xyz / (1 + 32767 / 32768) * 65535).astype(">u2")
    ramp = np.linspace(0, 65535, 256).astype(">u2").tobytes()
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    body = b"mft2" + bytes(4) + bytes((3, 3, grid, 0)) + matrix + struct.pack(">HH", 256, 256)
    body += ramp * 3 + table.tobytes() + ramp * 3
    head = bytearray(icc_profile(ColourTags(cicp=(1, 13, 0, 1)), grey=False)[:128])
    head[12:16] = b"scnr"
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    start = 128 + 4 + 24
    table_of_tags = struct.pack(">I", 2) + b"A2B0" + struct.pack(">II", start, len(body))
    table_of_tags += b"wtpt" + struct.pack(">II", start + len(body), len(white))
    whole = bytes(head) + table_of_tags + body + white
    return struct.pack(">I", len(whole)) + whole[4:]


def test_a_picture_with_numbers_is_no_srgb_in_jpeg_xl(tmp_path):
    from bokeh_core import picture
    from bokeh_core.errors import OutputError

    made = Picture(scene(), metadata=Metadata(colour=ColourTags(cicp=(12, 13, 0, 1))))
    with pytest.raises(OutputError, match="for sRGB only"):
        picture.write(tmp_path / "p.jxl", made)
