"""Draws the focus mark into 8-bit RGB pixels (Cairo is not in every GIMP's Python)."""

from __future__ import annotations

ARM = 9


def drawn(width: int, height: int, data: bytes, point: tuple[float, float]) -> bytes:
    """Give the pixels with a white cross, edged black, at `point` (fractions of width, height)."""
    pixels = bytearray(data)
    centre_x, centre_y = int(point[0] * width), int(point[1] * height)
    for thick, colour in ((1, b"\0\0\0"), (0, b"\xff\xff\xff")):
        arms = range(-ARM - thick, ARM + thick + 1)
        across = range(-thick, thick + 1)
        spots = [(a, b) for a in arms for b in across if abs(a) > 2 - thick]
        for x, y in spots + [(b, a) for a, b in spots]:
            column, row = centre_x + x, centre_y + y
            if 0 <= column < width and 0 <= row < height:
                at = 3 * (row * width + column)
                pixels[at : at + 3] = colour
    return bytes(pixels)
