"""The file that a photo was opened from, where it is of a kind that can have a depth map inside."""

from __future__ import annotations

import os
import stat

from daemon.light.planes import File

MOST_BYTES = 64 << 20
"""As `limits.max_file_bytes` of the daemon."""
_JPEG = b"\xff\xd8\xff"
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def read(path: str | None) -> File | None:
    """Read a JPEG or HEIC; None where it is gone, too large, or something else."""
    if path is None:
        return None
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size > MOST_BYTES:
                return None
            start = file.read(12)
            if start[:3] != _JPEG and not (start[4:8] == b"ftyp" and start[8:] in _HEIF):
                return None
            data = start + file.read(MOST_BYTES - len(start) + 1)
    except (OSError, ValueError):
        return None
    return File(data) if len(data) <= MOST_BYTES else None


def _without_waiting(path: str, flags: int) -> int:
    """Open it, also where it has become a pipe that nobody writes to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
