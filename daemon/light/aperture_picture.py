"""A picture as aperture: what a point of light becomes when it is out of focus.

It is kept as text among the settings: base64 of N x N bytes, rows from the top, each the light
that comes through, 0 to 255. So it goes wherever settings go and needs its file no more.
"""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING

from daemon.light.errors import PluginError
from daemon.light.words import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

SIDE = 48
"""Most rows and columns: finer than a disc shows, and small in a message beside many strokes."""
LARGEST = 256
"""Long side that a picture file is read at: enough for a shape that fills a fifth of it."""
WHITE = 255
SCREEN = 2.2
"""Exponent of the grey on a screen."""
LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Part of red, green and blue light (of sRGB) in its grey."""


def text_of(light: Sequence[float], width: int) -> str:
    """Make the text of a picture: a bright shape on black.

    The black around the shape is cut off, the shape centred on a square and brought to `SIDE`. So
    a white disc is the round aperture, wherever in its picture it is.

    Parameters
    ----------
    light
        Linear light row by row, on any scale; what is transparent has none.
    width
        Pixels of a row.

    Raises
    ------
    PluginError
        There is no light in it.
    """
    light = [each if each > 0.0 and math.isfinite(each) else 0.0 for each in light]
    brightest = max(light, default=0.0)
    if not brightest:
        raise PluginError(
            tr("There is no light in this picture: an aperture is a bright shape on black.")
        )
    rows = [light[start : start + width] for start in range(0, len(light), width)]
    least = brightest / WHITE
    down = [place for place, row in enumerate(rows) if max(row) >= least]
    across = [place for place, column in enumerate(zip(*rows, strict=True)) if max(column) >= least]
    shape = [row[across[0] : across[-1] + 1] for row in rows[down[0] : down[-1] + 1]]
    side = max(len(shape), len(shape[0]))
    narrow = [_brought_to(min(side, SIDE), row, side) for row in shape]
    small = [_brought_to(min(side, SIDE), column, side) for column in zip(*narrow, strict=True)]
    most = max(map(max, small))
    levels = (round(WHITE * each / most) for row in zip(*small, strict=True) for each in row)
    return base64.b64encode(bytes(levels)).decode("ascii")


def light_of(codes: bytes) -> list[float]:
    """Return the linear light of 8-bit sRGB pixels whose alpha is the fourth byte."""
    linear = [_linear(code / WHITE) for code in range(WHITE + 1)]
    red, green, blue = ([part * each for each in linear] for part in LUMINANCE)
    pixels = zip(codes[::4], codes[1::4], codes[2::4], codes[3::4], strict=True)
    return [(red[r] + green[g] + blue[b]) * a / WHITE for r, g, b, a in pixels]


def kernel_of(text: str) -> list[list[int]]:
    """Return the `kernel` of a lens: rows of light.

    Raises
    ------
    PluginError
        The text is not what `text_of` makes.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:  # also letters that are not ASCII
        data = b""
    side = math.isqrt(len(data))
    if side * side != len(data) or side > SIDE or not any(data):
        raise PluginError(tr("The aperture picture is damaged. Choose a picture again, or none."))
    return [list(data[start : start + side]) for start in range(0, len(data), side)]


def is_picture(text: str) -> bool:
    """Whether a text is such a picture, or empty: none."""
    try:
        return not text or bool(kernel_of(text))
    except PluginError:
        return False


def grey_of(text: str) -> tuple[int, bytes]:
    """Return the picture as a screen shows it: its side, and a byte of grey for each pixel."""
    rows = kernel_of(text)
    levels = (each / WHITE for row in rows for each in row)
    return len(rows), bytes(round(WHITE * each ** (1 / SCREEN)) for each in levels)


def _brought_to(count: int, line: Sequence[float], side: int) -> list[float]:
    """Spread a line, in the middle of one of `side`, over `count` equal parts, light kept."""
    step, start = count / side, (side - len(line)) / 2
    made = [0.0] * count
    for place, each in enumerate(line):
        first, last = (start + place) * step, (start + place + 1) * step
        for part in range(int(first), min(count, math.ceil(last))):
            made[part] += each * (min(last, part + 1) - max(first, part))
    return made


def _linear(code: float) -> float:
    return code / 12.92 if code <= 0.04045 else ((code + 0.055) / 1.055) ** 2.4
