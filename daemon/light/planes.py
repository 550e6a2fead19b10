"""What travels beside a message: pixels with their geometry and type, files; their hashes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from daemon.light.facts import SAMPLE_BYTES

if TYPE_CHECKING:
    from daemon.light.view import Area


@dataclass(frozen=True)
class File:
    """A file as its bytes are; what the daemon finds inside it stands for what is not given."""

    data: bytes

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the bytes, by which the daemon knows them again."""
        return hashlib.sha256(self.data).hexdigest()

    def header(self) -> dict[str, object]:
        """Describe the file without its bytes, as in a `render` message."""
        return {"nbytes": len(self.data), "digest": self.digest}


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

    def cropped(self, area: Area) -> Plane:
        """Return a part of the picture."""
        size = self.channels * SAMPLE_BYTES[self.dtype]
        start, end = size * area.left, size * area.right
        row = size * self.width
        rows = [self.data[y * row + start : y * row + end] for y in range(area.top, area.bottom)]
        data = b"".join(rows)
        return Plane(area.width, area.height, self.channels, self.dtype, self.transfer, data)

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
