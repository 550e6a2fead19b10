"""The formats of cameras and studios: read at their depth, written where that makes sense."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from bokeh_core import picture
from bokeh_core.errors import InputError, OutputError
from bokeh_core.picture import Picture
from bokeh_core.picture.writing import suffix_for
from tests.bokeh_core.picture.corpus.made import jpeg, scene, xmp

WIDE = scene().astype(np.uint16) * 257


def saved(kind, mode="RGB", **options):
    file = io.BytesIO()
    Image.fromarray(scene()).convert(mode).save(file, format=kind, **options)
    return file.getvalue()


def close(found, atol):
    full = np.iinfo(found.pixels.dtype).max
    np.testing.assert_allclose(found.pixels[..., :3] / full * 255, scene(), atol=atol)


@pytest.mark.parametrize(
    ("suffix", "channels"), [(s, c) for s in (".heic", ".avif", ".jxl") for c in (1, 2, 3, 4)]
)
def test_what_phones_write_comes_back(again, suffix, channels):
    pixels = np.dstack((scene(), scene()[..., :1]))[..., : max(3, channels)]
    if channels < 3:
        pixels = pixels[..., :channels]
    back, lost = again(Picture(np.ascontiguousarray(pixels)), suffix)
    assert lost == ()
    colours = back.pixels[..., :-1] if back.has_alpha else back.pixels
    assert back.has_alpha == (channels in (2, 4))
    wanted = pixels[..., :-1] if channels in (2, 4) else pixels
    np.testing.assert_allclose(colours.astype(int), np.broadcast_to(wanted, colours.shape), atol=6)


def test_ten_bits_of_heic_and_avif_are_kept(read, again):
    back, _ = again(Picture(WIDE), ".heic")
    assert back.pixels.dtype == np.uint16
    close(back, 0.6)  # of 255: 10 bits
    codes = (scene().astype(np.uint32) * 1023 // 255).astype(np.uint16)
    data = bytearray(imagecodecs.avif_encode(codes, bitspersample=10, level=100))
    at = data.index(b"nclx") + 4  # the encoder that Python 3.10 has cannot be told the colours
    data[at : at + 4] = struct.pack(">HH", 9, 16)
    found = read(bytes(data), "p.avif")
    assert found.pixels.dtype == np.uint16
    close(found, 1.5)
    assert found.metadata.colour.cicp[:2] == (9, 16)
    assert suffix_for(found, ".avif") == ".png"


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("container", [False, True])
def test_jpeg_xl_of_every_depth(read, bits, container):
    full = (1 << bits) - 1
    codes = (scene().astype(np.uint32) * full // 255).astype(np.uint8 if bits == 8 else np.uint16)
    data = imagecodecs.jpegxl_encode(
        codes, lossless=True, bitspersample=bits, usecontainer=container
    )
    found = read(bytes(data), "p.jxl")
    assert found.pixels.dtype == codes.dtype
    close(found, 256 / full if bits > 8 else 0)


@pytest.mark.parametrize(("width", "height"), [(64, 40), (17, 300), (256, 256), (1000, 16)])
def test_the_header_of_jpeg_xl_tells_the_size_before_decoding(read, width, height):
    pixels = np.zeros((height, width, 3), np.uint8)
    data = bytes(imagecodecs.jpegxl_encode(pixels, lossless=True))
    from bokeh_core.picture import jxl

    head = jxl.header(data)
    assert (head.width, head.height, head.bits) == (width, height, 8)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_bmp_and_gif_of_one_frame(read, mode):
    found = read(saved("BMP", mode), "p.bmp")
    assert found.format == "BMP"
    assert suffix_for(found, ".bmp") == ".png"
    if mode in ("RGB", "RGBA"):
        close(found, 0)
    gif = read(saved("GIF", "P" if mode == "RGBA" else mode, comment=b"gru\xc3\x9f"), "p.gif")
    assert gif.metadata.texts == (("Comment", "gruß"),)
    assert suffix_for(gif, ".gif") == ".png"


def test_a_moving_gif_is_refused(read):
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, format="GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match="2 frames"):
        read(file.getvalue(), "p.gif")


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".JPG", ".jpeg"])
def test_every_suffix_of_jpeg(read, suffix):
    found = read(saved("JPEG", quality=98), f"p{suffix}")
    assert found.format == "JPEG"
    assert suffix_for(found, suffix) == suffix


@pytest.mark.parametrize(
    "options",
    [{"progressive": True}, {"optimize": True}, {"subsampling": 2}, {"restart_marker_rows": 1}],
)
def test_jpeg_however_it_is_written(read, options):
    assert read(saved("JPEG", quality=98, **options), "p.jpg").pixels.shape == (40, 64, 3)


@pytest.mark.parametrize("bits", [12, 16])
def test_deep_jpeg(read, bits):
    codes = (WIDE >> (16 - bits)).astype(np.uint16)
    options = {"lossless": True} if bits == 16 else {"level": 100, "subsampling": "444"}
    data = imagecodecs.jpeg8_encode(codes, bitspersample=bits, **options)
    found = read(bytes(data), "p.jpg")
    assert found.pixels.dtype == np.uint16
    close(found, 3)
    assert suffix_for(found, ".jpg") == ".png"


def test_lossless_jpeg_of_eight_bits(read):
    data = imagecodecs.jpeg8_encode(scene(), lossless=True)
    close(read(bytes(data), "p.jpg"), 0)


def test_cmyk_jpeg(read):
    found = read(saved("JPEG", "CMYK", quality=98), "p.jpg")
    close(found, 12)
    assert "CMYK" in found.notes[0]
    assert found.metadata.icc is None


def test_the_base_picture_of_an_ultra_hdr_jpeg_with_a_note(read, again):
    gain = jpeg(scene()[:20, :20])
    packet = xmp(
        {"hdrgm:Version": "1.0", "xmp:Rating": 3},
        {"hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/", "xmp": "http://ns.adobe.com/xap/1.0/"},
    )
    mpf = b"MPF\0MM\0*" + struct.pack(">I", 8) + bytes(60)
    data = jpeg(scene(), (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet), (0xE2, mpf)) + gain
    found = read(data, "p.jpg")
    close(found, 12)
    assert any("gain map" in note for note in found.notes)
    path = again(found, ".jpg")[0]
    assert b"hdrgm:Version" not in path.metadata.xmp
    assert b"Rating" in path.metadata.xmp


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"FUJIFILMCCD-RAW 0201" + bytes(80), "p.raf"),
        (b"IIRO\x08\0\0\0" + bytes(80), "p.orf"),
        (b"IIU\0\x18\0\0\0" + bytes(80), "p.rw2"),
        (struct.pack(">I", 24) + b"ftypcrx " + bytes(80), "p.cr3"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(80), "p.cr2"),
        (b"MM\0*" + bytes(80), "p.nef"),
        (b"II*\0" + bytes(80), "p.dng"),
    ],
)
def test_raw_files_are_answered_with_what_to_do(read, data, name):
    with pytest.raises(InputError, match=r"raw file; develop it .* TIFF or a JPEG"):
        read(data, name)


def test_a_missing_library_names_itself(read, again, monkeypatch):
    from bokeh_core.picture import heif

    back, _ = again(Picture(scene()), ".heic")
    assert back.format == "HEIC"
    monkeypatch.setattr(heif, "library", lambda: None)
    with pytest.raises(OutputError, match="pip install pillow-heif"):
        again(Picture(scene()), ".heic")


def test_unknown_segments_and_chunks_break_nothing(read):
    junk = [(0xE1, b"Exif\0\0MM"), (0xED, b"Photoshop 3.0\0" + b"8BIM" + b"\xff" * 8)]
    junk += [
        (0xE2, b"MPF\0II*\0\xff\xff\xff\xff"),
        (0xE2, b"ICC_PROFILE\0\1\1"),
        (0xE5, b"\0" * 20),
    ]
    close(read(jpeg(scene(), *junk, quality=98), "p.jpg"), 12)


def test_files_of_a_name_that_lies_are_what_they_are(tmp_path):
    path = tmp_path / "p.png"
    path.write_bytes(jpeg(scene()))
    found = picture.read(path)
    assert found.format == "JPEG"
    assert suffix_for(found, ".png") == ".jpg"
