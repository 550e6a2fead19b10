"""Depth and mattes inside photos: found, turned, in the right direction, along the edges."""

import base64
import io
import struct

import numpy as np
import pytest
from PIL import Image

from bokeh_core import picture
from bokeh_core.picture import phone_maps, xmp
from tests.bokeh_core.picture.corpus import made
from tests.bokeh_core.picture.corpus.made import exif, jpeg
from tests.bokeh_core.picture.corpus.test_orientation import STORED

GD, DD = "http://ns.google.com/photos/1.0/depthmap/", "http://ns.google.com/photos/dd/1.0/"
APPLE = "http://ns.apple.com/pixeldatainfo/1.0/"
SIDE = (96, 144)
NEAR = np.zeros(SIDE, np.float32)
NEAR[24:72, 30:80] = 0.75  # the person
NEAR[80:] = 1.0  # the ground before us


def photo():
    """Where the person is, it is light: the depth's edges are the photo's."""
    pixels = np.full((*SIDE, 3), 60, np.uint8)
    pixels[24:72, 30:80] = (220, 180, 160)
    pixels[80:] = (90, 120, 60)
    return pixels


def small(plane, turn=1):
    """A depth map of a third of the size, as codes, turned as the photo is stored."""
    codes = np.rint(plane * 255).astype(np.uint8)
    reduced = np.asarray(
        Image.fromarray(codes).resize((SIDE[1] // 3, SIDE[0] // 3), Image.Resampling.BOX)
    )
    return np.ascontiguousarray(STORED[turn](reduced[..., None])[..., 0])


def encoded(codes, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(codes).save(file, format=kind, **options)
    return file.getvalue()


def maps(tmp_path, data, name="p.jpg"):
    path = tmp_path / name
    path.write_bytes(data)
    return phone_maps(path, picture.read(path))


def right(found, wanted=NEAR, atol=0.12):
    assert found.depth.shape == SIDE
    assert found.depth.dtype == np.float32
    inner = np.ones(SIDE, bool)
    for rows, columns in ((24, 30), (72, 80)):
        inner[rows - 4 : rows + 4] = False
        inner[:, columns - 4 : columns + 4] = False
    inner[76:84] = False
    np.testing.assert_allclose(found.depth[inner], wanted[inner], atol=atol)


def stored_photo(turn, *segments):
    block = exif({0x0112: (3, turn)}, below={0x8769: {0xA405: (3, 26)}})
    pixels = np.ascontiguousarray(STORED[turn](photo()))
    return jpeg(pixels, (0xE1, b"Exif\0\0" + block), *segments)


def packet_segment(packet):
    return 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("order", ["inverse", "linear"])
def test_gdepth_in_the_extended_xmp(tmp_path, turn, order):
    near, far = 0.5, 4.0
    if order == "inverse":  # black is near
        codes, wanted = small(1 - NEAR, turn), NEAR
    else:
        metres = 1 / (1 / far + NEAR * (1 / near - 1 / far))
        codes, wanted = small((metres - near) / (far - near), turn), NEAR
    more = (
        made.xmp({"GDepth:Data": base64.b64encode(encoded(codes)).decode()}, {"GDepth": GD})
        .split(b"?>", 1)[1]
        .rsplit(b"<?", 1)[0]
    )
    guid = xmp.digest(more)
    form = {"inverse": "RangeInverse", "linear": "RangeLinear"}[order]
    main = made.xmp(
        {
            "GDepth:Format": form,
            "GDepth:Near": near,
            "GDepth:Far": far,
            "GDepth:Units": "m",
            "GDepth:Mime": "image/png",
            "n:HasExtendedXMP": guid,
        },
        {"GDepth": GD, "n": xmp.NOTE},
    )
    piece = (
        b"http://ns.adobe.com/xmp/extension/\0" + guid.encode() + struct.pack(">II", len(more), 0)
    )
    found = maps(tmp_path, stored_photo(turn, packet_segment(main), (0xE1, piece + more)))
    right(found, wanted)
    assert found.scene.dioptres == pytest.approx((1 / far, 1 / near), rel=0.05)
    assert found.scene.focal_mm == 26
    assert "inside the file, 48 x 32" in found.notes[0] or "32 x 48" in found.notes[0]
    result = picture.read(tmp_path / "p.jpg").metadata.xmp or b""
    assert b"GDepth:Format" not in result


@pytest.mark.parametrize("turn", [1, 6, 8])
@pytest.mark.parametrize("trailing", [False, True])
def test_dynamic_depth_behind_the_photo(tmp_path, turn, trailing):
    depth = encoded(small(1 - NEAR, turn), "JPEG", quality=98)
    film = bytes(500) if trailing else b""
    items = (
        '<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg"'
        ' Item:Semantic="Primary" Item:Length="0"/></rdf:li>'
        f'<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg"'
        f' Item:Semantic="Depth" Item:DataURI="android/depthmap" Item:Length="{len(depth)}"/>'
        "</rdf:li>"
    )
    if trailing:
        items += (
            '<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="video/mp4"'
            f' Item:Semantic="MotionPhoto" Item:Length="{len(film)}"/></rdf:li>'
        )
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
        ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description'
        f' xmlns:Container="{DD}container/" xmlns:Item="{DD}item/" xmlns:DepthMap="{DD}depthmap/"'
        ' DepthMap:Format="RangeInverse" DepthMap:Near="0.5" DepthMap:Far="4"'
        ' DepthMap:Units="Meters" DepthMap:DepthURI="android/depthmap">'
        f"<Container:Directory><rdf:Seq>{items}</rdf:Seq></Container:Directory>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()
    found = maps(tmp_path, stored_photo(turn, packet_segment(packet)) + depth + film)
    right(found)
    assert found.scene.dioptres == pytest.approx((0.25, 2.0), rel=0.05)


def mpo(turn, *others):
    """A multi-picture JPEG: the photo and pictures behind it (CIPA DC-007)."""
    count = 1 + len(others)
    fixed = len(stored_photo(turn, (0xE2, bytes(4 + 8 + 2 + 36 + 4 + 16 * count))))
    base = stored_photo(turn, (0xE2, b"MPF\0here" + bytes(46 + 16 * count))).index(b"MPF\0here") + 4
    entries, at = struct.pack("<IIIHH", 0x030000, fixed, 0, 0, 0), fixed
    for other in others:
        entries += struct.pack("<IIIHH", 0, len(other), at - base, 0, 0)
        at += len(other)
    records = struct.pack("<HHI4s", 0xB000, 7, 4, b"0100") + struct.pack(
        "<HHII", 0xB001, 4, 1, count
    )
    records += struct.pack("<HHII", 0xB002, 7, len(entries), 8 + 2 + 36 + 4)
    body = b"II*\0" + struct.pack("<IH", 8, 3) + records + bytes(4) + entries
    return stored_photo(turn, (0xE2, b"MPF\0" + body)) + b"".join(others)


def beside(codes, **properties):
    data = encoded(codes, "JPEG", quality=98)
    packet = made.xmp({f"a:{name}": value for name, value in properties.items()}, {"a": APPLE})
    body = b"http://ns.adobe.com/xap/1.0/\0" + packet
    return data[:2] + struct.pack(">BBH", 0xFF, 0xE1, len(body) + 2) + body + data[2:]


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_disparity_of_a_multi_picture_jpeg(tmp_path, turn):
    depth = beside(
        small(NEAR, turn), AuxiliaryImageType="disparity", FloatMinValue=0.25, FloatMaxValue=2.0
    )
    found = maps(tmp_path, mpo(turn, depth))
    right(found)
    assert found.scene.dioptres == pytest.approx((0.25, 2.0), rel=0.05)


def test_distances_of_a_multi_picture_jpeg(tmp_path):
    metres = 1 / (0.25 + NEAR * 1.75)
    codes = small((metres - 0.5) / 3.5)
    depth = beside(
        codes, AuxiliaryImageType="depth", NativeFormat="hdep", FloatMinValue=0.5, FloatMaxValue=4.0
    )
    right(maps(tmp_path, mpo(1, depth)))


def test_a_portrait_matte_of_a_multi_picture_jpeg(tmp_path):
    matte = (NEAR == 0.75).astype(np.float32)
    picture_beside = beside(small(matte, 6), AuxiliaryImageType="urn:portraiteffectsmatte")
    found = maps(tmp_path, mpo(6, picture_beside))
    assert found.depth is None
    assert found.matte[48, 55] > 0.95
    assert found.matte[10, 10] < 0.05


def test_a_grey_picture_beside_is_depth_unless_it_is_a_view_or_a_gain_map(tmp_path):
    right(maps(tmp_path, mpo(1, encoded(small(NEAR), "JPEG", quality=98))))
    view = np.asarray(Image.fromarray(photo()).convert("L"))
    assert maps(tmp_path, mpo(1, encoded(view, "JPEG"))).depth is None
    gain = beside(small(NEAR), Note="http://ns.adobe.com/hdr-gain-map/1.0/")
    assert maps(tmp_path, mpo(1, gain)).depth is None


class Beside:
    """A picture beside that of a HEIC, as libheif gives it: no library here writes one."""

    def __init__(self, codes, **about):
        self.size, self.info, self._codes = codes.shape[::-1], {"metadata": about}, codes

    def __array__(self, dtype=None, copy=None):
        return self._codes


@pytest.mark.parametrize("turn", [1, 6, 8])
@pytest.mark.parametrize("kind", ["disparity", "inverse distance", "distance"])
def test_depth_image_of_a_heic(tmp_path, monkeypatch, turn, kind):
    pillow_heif = pytest.importorskip("pillow_heif")
    block = exif({0x0112: (3, turn)}, below={0x8769: {0xA405: (3, 26)}})
    file, path = io.BytesIO(), tmp_path / "p.heic"
    stored = Image.fromarray(np.ascontiguousarray(STORED[turn](photo())))
    pillow_heif.from_pillow(stored).save(file, exif=b"Exif\0\0" + block)
    path.write_bytes(file.getvalue())
    if kind == "distance":
        metres = 1 / (0.25 + NEAR * 1.75)
        depth = Beside(
            small((metres - 0.5) / 3.5, turn), representation_type=2, z_near=0.5, z_far=4.0
        )
    elif kind == "disparity":
        depth = Beside(small(NEAR, turn), representation_type=1, d_min=0.25, d_max=2.0)
    else:
        depth = Beside(small(NEAR, turn), representation_type=0, z_near=0.5, z_far=4.0)
    real = pillow_heif.open_heif

    def with_depth(*words, **options):
        opened = real(*words, **options)
        opened[0].info["depth_images"] = [depth]
        return opened

    monkeypatch.setattr(pillow_heif, "open_heif", with_depth)
    found = phone_maps(path, picture.read(path))
    right(found)
    assert found.scene.dioptres == pytest.approx((0.25, 2.0), rel=0.05)


@pytest.mark.parametrize("damage", ["flat", "cut off", "another shape", "no base64"])
def test_a_useless_map_is_left_out_with_a_note(tmp_path, damage):
    codes = small(NEAR)
    data = encoded({"flat": codes * 0 + 9, "another shape": codes[:, :20]}.get(damage, codes))
    data = data[:60] if damage == "cut off" else data
    text = base64.b64encode(data).decode() if damage != "no base64" else "x"
    packet = made.xmp({"GDepth:Data": text, "GDepth:Format": "RangeInverse"}, {"GDepth": GD})
    found = maps(tmp_path, stored_photo(1, packet_segment(packet)))
    assert found.depth is None
    assert found.notes


def test_a_photo_without_maps_has_none_and_says_nothing(tmp_path):
    found = maps(tmp_path, stored_photo(1))
    assert (found.depth, found.matte, found.scene, found.notes) == (None, None, None, ())


def test_the_f_number_is_that_of_a_full_frame_lens_in_this_scene():
    scene = picture.Scene((0.25, 2.0), 50.0)
    # 50 mm at f/2 on 36 mm: radius = W / 36 / 2 * f^2 / N * (1/z1 - 1/z2), in mm and 1/mm
    expected = 3600 / 36 / 2 * 2500 / 2 * 1.75e-3
    assert scene.coc(2.0, 3600) == pytest.approx(expected, rel=0.1)
    assert scene.coc(4.0, 3600) == pytest.approx(scene.coc(2.0, 3600) / 2)
