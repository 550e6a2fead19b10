"""TIFF in every photometric kind, compression, depth, layout and byte order: viewers' colours."""

import itertools

import imagecodecs
import numpy as np
import pytest
import tifffile

from bokeh_core.errors import InputError
from bokeh_core.picture import convert
from tests.bokeh_core.picture.corpus.made import scene, tiff

COMPRESSIONS = {1: bytes, 5: imagecodecs.lzw_encode, 8: imagecodecs.zlib_encode}
COMPRESSIONS |= {32773: imagecodecs.packbits_encode, 50000: imagecodecs.zstd_encode}
SUBSAMPLINGS = [(1, 1), (2, 1), (2, 2), (4, 1), (4, 2)]


def ycbcr(rgb, narrow):
    """BT.601 as in TIFF 6.0, full range or 16 to 235."""
    values = rgb.astype(float)
    y = values @ (0.299, 0.587, 0.114)
    cb, cr = (values[..., 2] - y) / 1.772, (values[..., 0] - y) / 1.402
    if narrow:
        planes = (16 + y * 219 / 255, 128 + cb * 224 / 255, 128 + cr * 224 / 255)
    else:
        planes = (y, 128 + cb, 128 + cr)
    return np.rint(np.dstack(planes)).clip(0, 255).astype(np.uint8)


def grouped(planes, across, down):
    """Luma groups with the mean chroma of each, padded by the last pixels."""
    height, width = planes.shape[:2]
    padding = ((0, -height % down), (0, -width % across), (0, 0))
    whole = np.pad(planes, padding, mode="edge")
    blocks = whole.reshape(whole.shape[0] // down, down, whole.shape[1] // across, across, 3)
    blocks = blocks.transpose(0, 2, 1, 3, 4).reshape(*blocks.shape[:3:2], down * across, 3)
    chroma = np.rint(blocks[..., 1:].mean(axis=2))
    return np.concatenate((blocks[..., 0], chroma), axis=2).astype(np.uint8).tobytes()


@pytest.mark.parametrize(
    ("sampling", "compression"), list(itertools.product(SUBSAMPLINGS, COMPRESSIONS))
)
def test_ycbcr_without_jpeg_has_the_colours_of_any_viewer(read, sampling, compression):
    rgb, rows = scene(40, 62), 16
    narrow = compression == 5
    pack = COMPRESSIONS[compression]
    planes = ycbcr(rgb, narrow)
    strips = [pack(grouped(planes[top : top + rows], *sampling)) for top in range(0, 40, rows)]
    reference = (15, 1, 235, 1, 128, 1, 240, 1, 128, 1, 240, 1)
    entries = {
        256: (4, 62),
        257: (4, 40),
        258: (3, [8, 8, 8]),
        259: (3, compression),
        262: (3, 6),
        277: (3, 3),
        278: (4, rows),
        530: (3, sampling),
    }
    if narrow:
        entries[532] = (5, list(zip((16, *reference[2::2]), reference[1::2], strict=True)))
    found = read(tiff(entries, strips, order=">" if compression == 8 else "<"), "p.tif")
    inner = np.s_[12:-12, 18:-18]  # the quarters' edges share chroma
    worst = np.abs(found.pixels.astype(int) - rgb)[inner].max()
    assert worst <= 2 + 3 * sampling[0]
    assert found.transfer == "srgb"


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_grey_of_any_depth_is_scaled_by_its_own(read, tmp_path, bits, order, photometric):
    full = (1 << bits) - 1
    grey = np.rint(np.tile(np.linspace(0, 1, 64), (32, 1)) * full).astype(np.uint16)
    stored = grey if photometric == "minisblack" else full - grey
    kind = 1 if photometric == "minisblack" else 0
    entries = {256: (4, 64), 257: (4, 32), 258: (3, bits), 259: (3, 1), 262: (3, kind)}
    entries |= {277: (3, 1), 278: (4, 32)}
    found = read(tiff(entries, [packed_bits(stored, bits, order)], order), "p.tif")
    top = np.iinfo(found.pixels.dtype).max
    assert found.pixels.dtype == (np.uint8 if bits <= 8 else np.uint16)
    np.testing.assert_allclose(found.pixels[..., 0] / top, grey / full, atol=1.01 / top)
    assert bool(found.notes) == (8 < bits < 16)


def packed_bits(values, bits, order):
    if bits in (8, 16):
        return values.astype({8: "u1", 16: f"{order}u2"}[bits]).tobytes()
    rows = []
    for row in values:
        wide = ((row[:, None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8)
        rows.append(np.packbits(wide.ravel()).tobytes())
    return b"".join(rows)


@pytest.mark.parametrize("bits", [9, 12, 14])
def test_few_bits_kept_in_sixteen_are_scaled_where_the_file_says_so(read, bits):
    full = (1 << bits) - 1
    grey = np.rint(np.tile(np.linspace(0, 1, 64), (32, 1)) * full).astype("<u2")
    entries = {256: (4, 64), 257: (4, 32), 258: (3, 16), 259: (3, 1), 262: (3, 1)}
    entries |= {277: (3, 1), 278: (4, 32), 281: (3, full)}
    found = read(tiff(entries, [grey.tobytes()]), "p.tif")
    assert found.pixels.max() == 65535
    assert str(bits) in found.notes[0]


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "packbits", "zstd", "lzma"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("tile", [None, (16, 32)])
def test_every_layout_gives_the_same_pixels(read, tmp_path, compression, dtype, planar, tile):
    rgb = scene()
    stored = {"u1": rgb, "u2": rgb.astype("u2") * 257, "f4": (rgb / 255).astype("f4")}[dtype]
    path = tmp_path / "made.tif"
    tifffile.imwrite(
        path,
        stored if planar == "contig" else np.moveaxis(stored, -1, 0),
        photometric="rgb",
        planarconfig=planar,
        compression=compression,
        predictor=compression in ("lzw", "zlib"),
        byteorder=">" if planar == "separate" else "<",
        tile=tile,
        bigtiff=tile is not None,
    )
    found = read(path.read_bytes(), "p.tif")
    np.testing.assert_array_equal(found.pixels, stored)
    assert found.notes == ()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_is_its_colours(read, bits):
    count = 1 << bits
    index = np.random.default_rng(0).integers(0, count, (32, 64)).astype(np.uint16)
    colours = np.random.default_rng(1).integers(0, 256, (count, 3))
    entries = {256: (4, 64), 257: (4, 32), 258: (3, bits), 259: (3, 1), 262: (3, 3), 277: (3, 1)}
    entries |= {278: (4, 32), 320: (3, [int(v) for v in (colours.T * 257).ravel()])}
    found = read(tiff(entries, [packed_bits(index, bits, "<")]), "p.tif")
    np.testing.assert_array_equal(found.pixels, colours[index])


def lab_of(rgb):
    light = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = light @ np.linalg.inv(convert._TO_SRGB.astype(float)).T / convert._D50
    curve = np.where(xyz > 216 / 24389, np.cbrt(xyz), (xyz * 24389 / 27 + 16) / 116)
    x, y, z = np.moveaxis(curve, -1, 0)
    return np.dstack((116 * y - 16, 500 * (x - y), 200 * (y - z)))


@pytest.mark.parametrize("photometric", [8, 9, 10])
@pytest.mark.parametrize("bits", [8, 16])
def test_lab_is_the_colours_it_stands_for(read, photometric, bits):
    rgb = scene()
    lab = lab_of(rgb / 255)
    unit, full = (1, 255) if bits == 8 else (256, 65535)
    if photometric == 8:
        planes = (
            lab[..., 0] * full / 100,
            *(np.rint(lab[..., i] * unit) % (full + 1) for i in (1, 2)),
        )
    elif photometric == 9:
        top = 255 if bits == 8 else 65280
        planes = (lab[..., 0] * top / 100, *((lab[..., i] + 128) * unit for i in (1, 2)))
    else:
        low, span = np.array([0, -85, -75]), np.array([100, 170, 200])
        planes = np.moveaxis(((lab - low) / span * full).clip(0, full), -1, 0)
    codes = np.rint(np.dstack(planes)).astype("u1" if bits == 8 else "<u2")
    entries = {256: (4, 64), 257: (4, 40), 258: (3, [bits] * 3), 259: (3, 1), 277: (3, 3)}
    entries |= {262: (3, photometric), 278: (4, 40)}
    found = read(tiff(entries, [codes.tobytes()]), "p.tif")
    shown = found.pixels / np.iinfo(found.pixels.dtype).max * 255
    inside = (lab[..., 1] > -85) & (lab[..., 1] < 85) & (lab[..., 2] > -75)
    atol = 1.5 if bits == 16 else 9
    np.testing.assert_allclose(shown[inside], rgb[inside], atol=atol)
    assert "Lab" in found.notes[0]


@pytest.mark.parametrize("bits", [8, 16])
def test_cmyk_becomes_rgb_and_says_so(read, bits):
    rgb = scene()
    ink = 1 - rgb / 255
    black = ink.min(axis=2, keepdims=True)
    cmy = np.where(black < 1, (ink - black) / np.maximum(1 - black, 1e-6), 0)
    codes = np.rint(np.dstack((cmy, black)) * ((1 << bits) - 1)).astype(f"u{bits // 8}")
    entries = {256: (4, 64), 257: (4, 40), 258: (3, [bits] * 4), 259: (3, 1), 262: (3, 5)}
    entries |= {277: (3, 4), 278: (4, 40)}
    found = read(tiff(entries, [codes.tobytes()]), "p.tif")
    np.testing.assert_allclose(found.pixels / np.iinfo(found.pixels.dtype).max * 255, rgb, atol=2)
    assert "CMYK" in found.notes[0]


def test_several_saved_channels_are_left_out(read, tmp_path):
    pixels = np.dstack((scene(), scene()[..., :2]))
    path = tmp_path / "made.tif"
    tifffile.imwrite(path, pixels, photometric="rgb", extrasamples=[0, 0])
    found = read(path.read_bytes(), "p.tif")
    np.testing.assert_array_equal(found.pixels, pixels[..., :3])
    assert "left out" in found.notes[0]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (scene().astype(np.float32), "divide them by 255"),
        (scene().astype(np.float32) * 257, "divide them by 65535"),
    ],
)
def test_codes_stored_as_floats_are_refused_with_the_way_out(read, tmp_path, values, words):
    path = tmp_path / "made.tif"
    tifffile.imwrite(path, values, photometric="rgb")
    with pytest.raises(InputError, match=words):
        read(path.read_bytes(), "p.tif")


def test_floats_mostly_beyond_white_get_a_note_and_highlights_do_not(read, tmp_path):
    path = tmp_path / "made.tif"
    tifffile.imwrite(path, scene().astype(np.float32) + 0.5, photometric="rgb")
    assert "beyond 1" in read(path.read_bytes(), "p.tif").notes[0]
    light = (scene() / 255).astype(np.float32)
    light[:4, :4] = 50
    tifffile.imwrite(path, light, photometric="rgb")
    assert read(path.read_bytes(), "p.tif").notes == ()
