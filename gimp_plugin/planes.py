"""Pixels as they travel: bytes with their geometry, sample type and content hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

SAMPLE_BYTES = {"u8": 1, "u16": 2, "f32": 4}


@dataclass(frozen=True)
class Plane:
    """A picture or a map.

    Parameters
    ----------
    width, height
        Pixels.
    channels
        1 grey, 2 grey + alpha, 3 RGB, 4 RGBA (straight alpha), interleaved.
    dtype
        `u8` and `u16` full scale stands for 1.0; `f32`. Little endian.
    transfer
        `srgb` (display-encoded) or `linear`. Maps are `linear`.
    data
        Rows from the top, no padding.
    """

    width: int
    height: int
    channels: int
    dtype: str
    transfer: str
    data: bytes

    def __post_init__(self) -> None:
        expected = self.width * self.height * self.channels * SAMPLE_BYTES[self.dtype]
        if len(self.data) != expected:
            raise ValueError(f"expected {expected} bytes of pixels, got {len(self.data)}")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the pixels, by which the daemon knows them again."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def opaque(self) -> bool:
        """Whether no pixel lets anything through."""
        return self.channels % 2 == 1 or self._alpha_is({"f32": b"\0\0\x80\x3f"})

    @property
    def empty(self) -> bool:
        """Whether every pixel is fully transparent."""
        return self.channels % 2 == 0 and self._alpha_is(
            {"u8": b"\0", "u16": b"\0\0", "f32": b"\0" * 4}
        )

    def header(self) -> dict[str, object]:
        """Describe the plane without its pixels, as in a `render` message."""
        return {
            "width": self.width,
            "height": self.height,
            "channels": self.channels,
            "dtype": self.dtype,
            "transfer": self.transfer,
            "digest": self.digest,
        }

    def _alpha_is(self, patterns: dict[str, bytes]) -> bool:
        """Whether every alpha sample has the same bytes; full scale for a type not given."""
        size = SAMPLE_BYTES[self.dtype]
        pattern = patterns.get(self.dtype, b"\xff" * size)
        first, step = size * (self.channels - 1), size * self.channels
        pixels = self.width * self.height
        return all(
            self.data[first + at :: step].count(byte) == pixels for at, byte in enumerate(pattern)
        )
