"""What viewers show: EXIF in any legal encoding, XMP alone, PNG's raw profile; all copies agree."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from bokeh_core.picture import exif as blocks
from bokeh_core.picture import xmp as packets
from tests.bokeh_core.picture.corpus.made import exif, jpeg, png, scene, tiff, xmp

TIFF_NS = {"tiff": "http://ns.adobe.com/tiff/1.0/"}
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: np.rot90,
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}
BYTE, ASCII, SHORT, LONG, RATIONAL, SLONG = 1, 2, 3, 4, 5, 9


def stored(turn):
    return np.ascontiguousarray(STORED[turn](scene()))


def seen(found, atol=12):
    np.testing.assert_allclose(found.pixels.astype(int), scene(), atol=atol)


def copies(found):
    """Every orientation that the metadata holds."""
    values = set()
    if found.metadata.exif:
        tags = blocks.tags_of(found.metadata.exif)
        for _, start in tags.directories():
            values |= {tags.whole(e) for e in tags.entries(start) if e.tag == blocks.ORIENTATION}
    document = packets.parsed(found.metadata.xmp)
    if document is not None:
        values |= {int(v) for v in packets.values(document, packets.TIFF, "Orientation")}
    return values


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "kind",
    [BYTE, ASCII, SHORT, LONG, SLONG, RATIONAL],
    ids=["BYTE", "ASCII", "SHORT", "LONG", "SLONG", "RATIONAL"],
)
def test_exif_of_any_type_and_byte_order(read, again, kind, order, turn):
    value = {ASCII: f"{turn}\0".encode(), RATIONAL: [(turn, 1)]}.get(kind, turn)
    block = exif({0x0112: (kind, value), 0x010F: (ASCII, b"Maker\0")}, order)
    found = read(jpeg(stored(turn), (0xE1, b"Exif\0\0" + block)), "p.jpg")
    seen(found)
    assert copies(found) == {1}
    back, _ = again(found, ".jpg")
    seen(back)
    assert copies(back) == {1}


@pytest.mark.parametrize("turn", [3, 6, 8])
@pytest.mark.parametrize("prefix", ["tiff", "exiftiff"])
@pytest.mark.parametrize("form", ["attribute", "element", "utf-16"])
def test_xmp_alone(read, again, turn, prefix, form):
    packet = xmp({f"{prefix}:Orientation": turn}, {prefix: TIFF_NS["tiff"]})
    if form == "element":
        packet = packet.replace(
            f' {prefix}:Orientation="{turn}"/>'.encode(),
            f"><{prefix}:Orientation> {turn} </{prefix}:Orientation></rdf:Description>".encode(),
        )
    if form == "utf-16":
        body = packet.decode().split("?>", 1)[1].rsplit("<?", 1)[0]
        packet = body.encode("utf-16")
    found = read(jpeg(stored(turn), (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)), "p.jpg")
    seen(found)
    assert copies(found) == {1}
    assert copies(again(found, ".png")[0]) == {1}


def test_exif_stands_above_xmp(read):
    packet = xmp({"tiff:Orientation": 3}, TIFF_NS)
    block = exif({0x0112: (SHORT, 6)})
    segments = ((0xE1, b"Exif\0\0" + block), (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet))
    found = read(jpeg(stored(6), *segments), "p.jpg")
    seen(found)
    assert copies(found) == {1}


@pytest.mark.parametrize("kind", ["exif", "APP1", "exif in the middle"])
@pytest.mark.parametrize("turn", [6, 8])
def test_raw_profile_of_a_png(read, kind, turn):
    block = exif({0x0112: (SHORT, turn)})
    raw = b"Exif\0\0" + block
    text = f"\nexif\n{len(raw):8}\n{raw.hex()}\n".encode()
    name = b"Raw profile type " + kind.split()[0].encode() + b"\0"
    seen(read(png(stored(turn), (b"tEXt", name + text)), "p.png"), atol=0)


@pytest.mark.parametrize("turn", [2, 6, 7])
def test_exif_chunk_of_a_png_and_one_behind_the_pixels(read, turn):
    data = png(stored(turn), (b"eXIf", exif({0x0112: (LONG, turn)}, ">")))
    seen(read(data, "p.png"), atol=0)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", [SHORT, LONG])
@pytest.mark.parametrize("order", ["<", ">"])
def test_tag_of_a_tiff(read, again, turn, kind, order):
    pixels = stored(turn)
    height, width = pixels.shape[:2]
    entries = {256: (4, width), 257: (4, height), 258: (3, [8, 8, 8]), 259: (3, 1), 262: (3, 2)}
    entries |= {274: (kind, turn), 277: (3, 3), 278: (4, height)}
    found = read(tiff(entries, [pixels.tobytes()], order), "p.tif")
    seen(found, atol=0)
    back, _ = again(found, ".tif")
    seen(back, atol=0)


@pytest.mark.parametrize("turn", [6, 3])
@pytest.mark.parametrize("suffix", [".heic", ".avif", ".webp"])
def test_formats_of_phones(read, again, turn, suffix):
    block = exif({0x0112: (SHORT, turn), 0x010F: (ASCII, b"Maker\0")})
    file = io.BytesIO()
    if suffix == ".heic":
        heif = pytest.importorskip("pillow_heif")
        heif.from_pillow(Image.fromarray(stored(turn))).save(
            file, exif=b"Exif\0\0" + block, quality=-1, chroma=444
        )
    else:
        options = (
            {"lossless": True} if suffix == ".webp" else {"quality": 95, "subsampling": "4:4:4"}
        )
        Image.fromarray(stored(turn)).save(file, format=suffix[1:].upper(), exif=block, **options)
    found = read(file.getvalue(), f"p{suffix}")
    seen(found)
    assert copies(found) <= {1}
    back, _ = again(found, ".jpg")
    assert copies(back) <= {1}


def test_sizes_subject_and_resolution_turn_with_the_picture(read):
    turned = stored(6)  # 64 wide, 40 high; stored 40 wide, 64 high
    below = {0xA002: (LONG, 40), 0xA003: (SHORT, 64), 0x9214: (SHORT, [10, 20, 6, 4])}
    entries = {0x0112: (SHORT, 6), 0x011A: (RATIONAL, [(300, 1)]), 0x011B: (RATIONAL, [(150, 1)])}
    block = exif({**entries, 0x0128: (SHORT, 2)}, ">", {0x8769: below})
    packet = xmp(
        {"tiff:ImageWidth": 40, "exif:PixelXDimension": 40, "exif:PixelYDimension": 64},
        {**TIFF_NS, "exif": "http://ns.adobe.com/exif/1.0/"},
    )
    segments = ((0xE1, b"Exif\0\0" + block), (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet))
    found = read(jpeg(turned, *segments), "p.jpg")
    seen(found)
    kept = found.metadata.exif
    assert [blocks.number(kept, tag) for tag in (0xA002, 0xA003, 0x011A, 0x011B)] == [
        64,
        40,
        150,
        300,
    ]
    tags = blocks.tags_of(kept)
    area = next(
        e for _, start in tags.directories() for e in tags.entries(start) if e.tag == 0x9214
    )
    assert struct.unpack(">4H", tags.read(area.place, 8)) == (63 - 20, 10, 4, 6)
    document = packets.parsed(found.metadata.xmp)
    assert list(packets.values(document, packets.TIFF, "ImageWidth")) == ["64"]
    assert list(packets.values(document, packets.EXIF, "PixelYDimension")) == ["40"]


@pytest.mark.parametrize("value", [0, 9, 65542, 300])
def test_a_senseless_orientation_is_none(read, value):
    block = exif({0x0112: (LONG, value)}, ">")
    seen(read(jpeg(scene(), (0xE1, b"Exif\0\0" + block)), "p.jpg"))
