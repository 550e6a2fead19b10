"""The kinds of files that a picture can come from."""

from __future__ import annotations

from typing import Literal, get_args

Format = Literal["JPEG", "PNG", "TIFF", "WebP", "HEIC", "AVIF", "JPEG XL", "BMP", "GIF"]

FORMATS: tuple[Format, ...] = get_args(Format)
"""All formats that are read."""
