"""Metadata of every kind through every format: kept, or named in a note."""

import itertools
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from bokeh_core.picture import Metadata, Picture, exif, photoshop, xmp
from tests.bokeh_core.picture.corpus import made
from tests.bokeh_core.picture.corpus.made import jpeg, png, scene

ASCII, SHORT, RATIONAL, UNDEFINED, BYTE = 2, 3, 5, 7, 1
SUFFIXES = [".jpg", ".png", ".tif", ".webp", ".heic", ".avif", ".jxl"]
ARTIST = "Bjørn Ågård ☃".encode() + b"\0"
NOTE = b"Maker\0\x01\x02" + bytes(range(200))
XMP = made.xmp(
    {"xmp:Rating": "4", "dc:source": "Köln"},
    {"xmp": "http://ns.adobe.com/xap/1.0/", "dc": "http://purl.org/dc/elements/1.1/"},
)
IPTC = b"\x1c\x02\x69\x00\x08Headline\x1c\x02\x19\x00\x07keyword"


def camera(order="<"):
    """An EXIF block of a camera: Unicode, rating, keywords, maker note and place."""
    return made.exif(
        {
            0x010F: (ASCII, b"Maker\0"),
            0x013B: (ASCII, ARTIST),
            0x4746: (SHORT, 5),
            0x9C9E: (BYTE, "schlüssel;wörter".encode("utf-16-le") + b"\0\0"),
        },
        order,
        {
            0x8769: {
                0x829D: (RATIONAL, [(18, 10)]),
                0x9286: (UNDEFINED, b"UNICODE\0" + "größe".encode("utf-16-le")),
                0x927C: (UNDEFINED, NOTE),
            },
            0x8825: {1: (ASCII, b"N\0"), 2: (RATIONAL, [(50, 1), (56, 1), (33, 1)])},
        },
    )


def values(block):
    """All values of a block by tag, as bytes."""
    tags = exif.tags_of(block)
    return {
        entry.tag: tags.read(entry.place, entry.size)
        for _, start in tags.directories()
        for entry in tags.entries(start)
        if entry.tag not in exif.POINTERS
    }


def place_of_note(block):
    tags = exif.tags_of(block)
    entries = (e for _, start in tags.directories() for e in tags.entries(start))
    return next(e.place for e in entries if e.tag == exif.MAKER_NOTE)


@pytest.mark.parametrize(("first", "second"), list(itertools.product(SUFFIXES, SUFFIXES)))
def test_everything_survives_two_formats_or_is_named(again, first, second):
    kept = Metadata(
        exif=camera(">" if first > second else "<"),
        xmp=XMP,
        dpi=(300.0, 150.0),
        photoshop=photoshop.with_iptc(None, IPTC),
        texts=(("Comment", "gehört dazu"), ("Title", "Der Turm"), ("workflow", "x" * 3000)),
    )
    once, lost_first = again(Picture(scene(), metadata=kept), first)
    twice, lost_second = again(once, second)
    lost = " ".join((*lost_first, *lost_second))
    before, after = values(kept.exif), values(twice.metadata.exif)
    assert {tag: after.get(tag) for tag in before} == before
    assert place_of_note(twice.metadata.exif) == place_of_note(kept.exif)
    packet = xmp.parsed(twice.metadata.xmp)
    assert list(xmp.values(packet, "http://ns.adobe.com/xap/1.0/", "Rating")) == ["4"]
    assert list(xmp.values(packet, "http://purl.org/dc/elements/1.1/", "source")) == ["Köln"]
    assert (photoshop.iptc(twice.metadata.photoshop) == IPTC) != ("IPTC" in lost)
    resolution = twice.metadata.dpi
    kept_resolution = resolution is not None and np.allclose(resolution, (300, 150), atol=0.02)
    assert kept_resolution != ("the resolution" in lost)
    held = " ".join(text for _, text in twice.metadata.texts) + twice.metadata.xmp.decode()
    for text in ("gehört dazu", "Der Turm"):
        assert text in held
    assert ("x" * 3000 in held) != ("workflow" in lost)


def test_tags_of_a_tiff_and_both_its_iptc(read, again, tmp_path):
    path, resources = tmp_path / "made.tif", photoshop.packed([(0x0404, IPTC), (0x040A, b"\1")])
    extra = [
        (315, 2, len(ARTIST), ARTIST, True),
        (18246, 3, 1, 4, True),
        (33723, 7, len(IPTC), IPTC, True),
        (34377, 7, len(resources), resources, True),
    ]
    tifffile.imwrite(path, scene(), photometric="rgb", extratags=extra)
    found = read(path.read_bytes(), "p.tif")
    for suffix in (".tif", ".jpg", ".png"):
        back, lost = again(found, suffix)
        assert values(back.metadata.exif)[315] == ARTIST
        assert values(back.metadata.exif)[18246] == struct.pack("<H", 4)
        assert dict(photoshop.resources(back.metadata.photoshop)) == {0x0404: IPTC, 0x040A: b"\1"}
        assert lost == ()


def test_the_other_programs_read_what_was_written(tmp_path):
    from bokeh_core import picture

    kept = Metadata(exif=camera(">"), xmp=XMP, photoshop=photoshop.with_iptc(None, IPTC))
    path = tmp_path / "p.tif"
    picture.write(path, Picture(scene(), metadata=kept))
    with tifffile.TiffFile(path) as file:
        tags = file.pages[0].tags
        assert tags[315].value == ARTIST[:-1].decode()
        assert tags[33723].value == IPTC
        assert tags[0x8769].value["FNumber"] == (18, 10)
        np.testing.assert_array_equal(file.asarray(), scene())
    with Image.open(path) as image:
        assert image.getexif().get_ifd(0x8825)[1] == "N"
        np.testing.assert_array_equal(np.asarray(image), scene())


class TestExtendedXmp:
    BIG = made.xmp({"xmp:Label": "l" * 100_000}, {"xmp": "http://ns.adobe.com/xap/1.0/"})

    def parts(self, main, more, guid):
        marker = b"http://ns.adobe.com/xmp/extension/\0"
        pieces = [
            (
                0xE1,
                marker + guid.encode() + struct.pack(">II", len(more), at) + more[at : at + 60_000],
            )
            for at in range(0, len(more), 60_000)
        ]
        return [(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + main), *reversed(pieces)]

    def main(self, guid):
        spaces = {"note": xmp.NOTE, "xmp": "http://ns.adobe.com/xap/1.0/"}
        return made.xmp({"note:HasExtendedXMP": guid, "xmp:Rating": "3"}, spaces)

    @pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
    def test_both_parts_stay_together(self, read, again, suffix):
        more = self.BIG.split(b"?>", 1)[1].rsplit(b"<?", 1)[0]
        guid = xmp.digest(more)
        found = read(jpeg(scene(), *self.parts(self.main(guid), more, guid)), "p.jpg")
        packet = xmp.parsed(again(found, suffix)[0].metadata.xmp)
        assert list(xmp.values(packet, "http://ns.adobe.com/xap/1.0/", "Label")) == ["l" * 100_000]
        assert list(xmp.values(packet, "http://ns.adobe.com/xap/1.0/", "Rating")) == ["3"]

    @pytest.mark.parametrize("missing", ["all", "a piece", "another name", "not XML"])
    def test_a_pointer_without_its_part_goes(self, read, missing):
        more = self.BIG.split(b"?>", 1)[1].rsplit(b"<?", 1)[0]
        more = b"<x:xmpmeta/>" + b" " * 90_000 if missing == "not XML" else more
        guid = xmp.digest(more)
        segments = self.parts(self.main(guid), more, guid)
        if missing == "all":
            segments = segments[:1]
        elif missing == "a piece":
            segments = segments[:-1]
        elif missing == "another name":
            segments[0] = (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + self.main("0" * 32))
        found = read(jpeg(scene(), *segments), "p.jpg")
        assert b"HasExtendedXMP" not in found.metadata.xmp
        assert b"Rating" in found.metadata.xmp


@pytest.mark.parametrize(
    ("properties", "namespace"),
    [
        (
            {"G:MicroVideo": 1, "G:MicroVideoOffset": 5012},
            "http://ns.google.com/photos/1.0/camera/",
        ),
        ({"G:MotionPhoto": 1}, "http://ns.google.com/photos/1.0/camera/"),
        ({"G:Version": "1.0"}, "http://ns.adobe.com/hdr-gain-map/1.0/"),
        ({"G:Format": "RangeInverse"}, "http://ns.google.com/photos/1.0/depthmap/"),
    ],
)
def test_pointers_to_what_stays_behind_are_taken_out(read, properties, namespace):
    packet = made.xmp(
        {**properties, "xmp:Rating": 5}, {"G": namespace, "xmp": "http://ns.adobe.com/xap/1.0/"}
    )
    data = jpeg(scene(), (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)) + bytes(5012)
    found = read(data, "p.jpg")
    assert b"G:" not in found.metadata.xmp.replace(b"xmlns:G", b"")
    assert b'Rating="5"' in found.metadata.xmp


def test_the_thumbnail_of_the_old_picture_is_not_in_the_result(read, again):
    thumb = jpeg(np.full((16, 16, 3), 250, np.uint8))
    first = made.exif({0x010F: (ASCII, b"Maker\0")})
    link = struct.unpack_from("<I", first, 4)[0] + 2 + 12
    second = len(first) + len(first) % 2
    place = second + 2 + 24 + 4
    block = bytearray(first.ljust(second, b"\0"))
    struct.pack_into("<I", block, link, second)
    block += made.directory("<", {0x0201: (4, place), 0x0202: (4, len(thumb))}, second) + thumb
    found = read(jpeg(scene(), (0xE1, b"Exif\0\0" + bytes(block))), "p.jpg")
    assert thumb[20:60] not in found.metadata.exif
    back, _ = again(found, ".jpg")
    assert values(back.metadata.exif)[0x010F] == b"Maker\0"


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt", b"iTXt packed"])
@pytest.mark.parametrize("length", [10, 3_000_000])
def test_png_text_of_any_length(read, again, kind, length):
    text = ("wort " * (length // 5 + 1))[:length]
    body = {
        b"tEXt": text.encode(),
        b"zTXt": b"\0" + zlib.compress(text.encode()),
        b"iTXt": b"\0\0de\0Wort\0" + text.encode(),
        b"iTXt packed": b"\1\0de\0Wort\0" + zlib.compress(text.encode()),
    }[kind]
    found = read(png(scene(), (kind[:4], b"workflow\0" + body)), "p.png")
    assert found.metadata.texts == (("workflow", text),)
    assert again(found, ".png")[0].metadata.texts == (("workflow", text),)


@pytest.mark.parametrize("name", ["iptc", "8bim", "xmp", "icc"])
def test_raw_profiles_of_a_png_are_what_they_are(read, name):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    resources = photoshop.packed([(0x0404, IPTC)])
    raw = {"iptc": IPTC, "8bim": resources, "xmp": XMP, "icc": profile}[name]
    text = f"\n{name}\n{len(raw):8}\n{raw.hex()}\n".encode()
    keyword = b"Raw profile type " + name.encode() + b"\0\0"
    found = read(png(scene(), (b"zTXt", keyword + zlib.compress(text))), "p.png").metadata
    assert {"iptc": found.photoshop, "8bim": found.photoshop, "xmp": found.xmp, "icc": found.icc}[
        name
    ] == (resources if name == "iptc" else raw)
    assert found.texts == ()


def test_content_credentials_stay_behind_with_a_note(read):
    segment = (0xEB, b"JP\0\1\0\0\0\1\0\0\0\x20jumb" + bytes(40))
    found = read(jpeg(scene(), segment), "p.jpg")
    assert "credentials" in found.notes[0]
    assert "credentials" in read(png(scene(), (b"caBX", bytes(40))), "p.png").notes[0]
