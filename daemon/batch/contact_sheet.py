"""A contact sheet: every result small, with its name, in pages that any viewer opens."""

from __future__ import annotations

import dataclasses
import math
import unicodedata
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from bokeh_core.errors import BokehError
from bokeh_core.picture import Picture, from_linear, read, write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Bytes = npt.NDArray[np.uint8]
THUMB = 180
"""Long side of a thumbnail in pixels."""
GAP, CAPTION = 12, 18
COLUMNS = 8
PER_PAGE = 400
GREY = 32


def draw(pictures: Sequence[tuple[str, Path]], path: Path) -> list[Path]:
    """Draw captions and pictures onto one or more pages; gives the files.

    Parameters
    ----------
    pictures
        Caption and file of each; one that cannot be read leaves an empty field.
    path
        Of the first page; the others are numbered from 2.

    Raises
    ------
    OutputError
        A page cannot be written.
    """
    pages = [pictures[at : at + PER_PAGE] for at in range(0, len(pictures), PER_PAGE)]
    written = []
    for number, page in enumerate(pages, 1):
        name = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        write(name, Picture(pixels=_page(page), transfer="srgb"), quality=88)
        written.append(name)
    return written


def legible(caption: str) -> str:
    """Write a caption in ASCII: Pillow's own font has boxes for every other letter."""
    # accents come off their letters; what is more than an accent is a question mark
    apart = unicodedata.normalize("NFKD", caption.replace("ß", "ss"))
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return bare.encode("ascii", "replace").decode()


def _page(pictures: Sequence[tuple[str, Path]]) -> Bytes:
    columns = min(COLUMNS, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    step_x, step_y = THUMB + GAP, THUMB + CAPTION + GAP
    sheet = Image.new("RGB", (columns * step_x + GAP, rows * step_y + GAP), (GREY,) * 3)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(12)
    for place, (caption, file) in enumerate(pictures):
        left = GAP + place % columns * step_x
        top = GAP + place // columns * step_y
        small = _thumbnail(file)
        if small is not None:
            height, width = small.shape[:2]
            corner = (left + (THUMB - width) // 2, top + (THUMB - height) // 2)
            sheet.paste(Image.fromarray(small), corner)
        text = _fitting(legible(caption), font)
        pen.text((left, top + THUMB + 2), text, fill=(220, 220, 220), font=font)
    return np.asarray(sheet)


def _thumbnail(path: Path) -> Bytes | None:
    try:
        picture = read(path, min_side=1)
    except (BokehError, OSError):
        return None
    scale = THUMB / max(picture.width, picture.height)
    size = [max(1, round(side * scale)) for side in (picture.width, picture.height)]
    pixels = picture.pixels if scale > 1 else _reduced(picture.pixels, size)
    light = dataclasses.replace(picture, pixels=pixels).linear()
    codes = from_linear(np.clip(light, 0, 1), np.uint8)
    if scale > 1:  # enlarged as the pixels that it has
        codes = cv2.resize(codes, size, interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(codes, dtype=np.uint8)


def _reduced(pixels: npt.NDArray[np.generic], size: Sequence[int]) -> npt.NDArray[np.generic]:
    small = np.asarray(cv2.resize(np.asarray(pixels), size, interpolation=cv2.INTER_AREA))
    return small.reshape(*small.shape[:2], pixels.shape[2])


def _fitting(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Cut a caption at its beginning, as names differ at their end."""
    while font.getlength(text) > THUMB and len(text) > 1:
        text = text[1:]
    return text
