"""Small files that would take much memory are refused, or read within the size they tell."""

import struct
import tracemalloc
import zlib

import imagecodecs
import numpy as np
import pytest

from bokeh_core.errors import InputError
from tests.bokeh_core.picture.corpus.made import jpeg, png, scene, tiff

MOST = 40e6


def small(compression, **more):
    entries = {256: (4, 64), 257: (4, 64), 258: (3, [8, 8, 8]), 259: (3, compression)}
    return {**entries, 262: (3, 2), 277: (3, 3), 278: (4, 64), **more}


BOMB = bytes(80_000_000)
TIFFS = {
    "deflate": lambda: tiff(small(8), [zlib.compress(BOMB, 9)]),
    "LZW": lambda: tiff(small(5), [imagecodecs.lzw_encode(BOMB[:50_000_000])]),
    "Zstandard": lambda: tiff(small(50000), [imagecodecs.zstd_encode(BOMB)]),
    "LZMA": lambda: tiff(small(34925), [imagecodecs.lzma_encode(BOMB)]),
    "a JPEG of another size": lambda: tiff(
        {**small(7), 262: (3, 6)}, [jpeg(np.zeros((6000, 6000, 3), np.uint8))]
    ),
    "a WebP": lambda: tiff(
        small(50001), [imagecodecs.webp_encode(np.zeros((6000, 6000, 3), np.uint8))]
    ),
    "tiles of a gigapixel": lambda: tiff(
        {**small(8), 322: (4, 40_000), 323: (4, 40_000), 324: (4, 8), 325: (4, 100)},
        [zlib.compress(bytes(10_000))],
    ),
}


@pytest.mark.parametrize("name", TIFFS)
def test_a_tiff_takes_no_more_than_its_size(read, name):
    data = TIFFS[name]()
    tracemalloc.start()
    try:
        pixels = read(data, "bomb.tif").pixels
        assert pixels.shape == (64, 64, 3)
    except InputError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST + 2 * len(data)


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_a_text_that_never_ends_is_left_out_with_a_note(read, kind):
    body = b"name\0\0" + zlib.compress(BOMB, 9)
    found = read(png(scene(), (kind, body)), "p.png")
    np.testing.assert_array_equal(found.pixels, scene())
    assert "left out" in found.notes[0]


def test_only_named_compressions_of_a_tiff_are_read(read):
    for compression in (34712, 50001, 50002, 34887, 12345):
        with pytest.raises(InputError, match=r"is compressed by .*; save it with LZW"):
            read(tiff(small(compression), [b"x" * 100]), "p.tif")


def test_counts_beyond_the_file_end_in_words(read):
    data = bytearray(tiff(small(1), [bytes(64 * 64 * 3)]))
    struct.pack_into("<I", data, 4, len(data) - 6)
    with pytest.raises(InputError, match=r"damaged|truncated"):
        read(bytes(data), "p.tif")
