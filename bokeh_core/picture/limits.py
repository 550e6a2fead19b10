"""What a read may take: one limit, checked from headers before memory is taken."""

from __future__ import annotations

from bokeh_core.errors import InputError

MAX_PIXELS = 120_000_000
"""Largest width * height."""
MAX_BYTES = 16 * MAX_PIXELS
"""Largest decoded picture: the most pixels, as four floats each."""


def check_size(width: int, height: int, min_side: int) -> None:
    """Refuse sizes that make no sense or would take too much memory."""
    if min(width, height) < min_side:
        raise InputError(f"is {width} x {height} pixels; at least {min_side} x {min_side} needed")
    if width * height > MAX_PIXELS:
        raise InputError(
            f"is {width} x {height} = {width * height / 1e6:.0f} megapixels; "
            f"at most {MAX_PIXELS / 1e6:.0f} are handled"
        )


def check_bytes(size: int) -> None:
    """Refuse what would take too much memory when it is decoded."""
    if size > MAX_BYTES:
        raise InputError(
            f"would take {size / 1e9:.1f} GB to read; at most {MAX_BYTES / 1e9:.1f} are taken"
        )
