"""EXIF blocks (EXIF 3.0, TIFF 6.0): read the orientation, make them true for the upright picture.

A block is patched in place: re-serialising it would move maker notes, which hold offsets.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Read = Callable[[int, int], bytes]

ORIENTATION = 0x0112
SIDEWAYS = range(5, 9)
"""Orientations stored with width and height exchanged."""
EXIF_IFD, GPS_IFD, INTEROP_IFD, MAKER_NOTE = 0x8769, 0x8825, 0xA005, 0x927C
POINTERS = {EXIF_IFD, GPS_IFD, INTEROP_IFD}
_COLOUR_SPACE, _INTEROP_INDEX = 0xA001, 0x0001
_WIDTHS, _HEIGHTS = (0x0100, 0xA002, 0x1001), (0x0101, 0xA003, 0x1002)
_RESOLUTIONS = (0x011A, 0x011B)
_SUBJECT = (0x9214, 0xA214)
_THUMBNAIL = (0x0201, 0x0202)
_PREFIX = b"Exif\x00\x00"
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8, 129: 1}
_WHOLE = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_LONGEST = 1 << 24
"""Bytes of one value: a maker note has up to some 100 kB."""


@dataclass(frozen=True)
class Entry:
    """One value: its tag, type and count, where its record is, and where its bytes are."""

    tag: int
    kind: int
    count: int
    record: int
    place: int

    @property
    def size(self) -> int:
        """Bytes that the value takes."""
        return _SIZES[self.kind] * self.count


@dataclass(frozen=True)
class Tags:
    """A TIFF structure that is read piece by piece: `read(place, size)` gives its bytes."""

    read: Read
    order: str
    big: bool
    first: int

    @classmethod
    def of(cls, read: Read) -> Tags:
        """Read the header.

        Raises
        ------
        struct.error
            Too short.
        """
        head = read(0, 16)
        order = "<" if head[:2] == b"II" else ">"
        big = head[2:4] in (b"+\x00", b"\x00+")
        (first,) = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
        return cls(read, order, big, first)

    def entries(self, start: int) -> Iterator[Entry]:
        """Yield the entries of a directory that are whole."""
        head, record, words = (8, 20, "HHQ") if self.big else (2, 12, "HHI")
        inline = record - struct.calcsize("=" + words)
        raw = self.read(start, head)
        if len(raw) < head or start < 8:
            return
        (count,) = struct.unpack(self.order + ("Q" if self.big else "H"), raw)
        for index in range(min(count, 4096)):
            at = start + head + index * record
            raw = self.read(at, record)
            if len(raw) < record:
                return
            tag, kind, number = struct.unpack_from(self.order + words, raw)
            size = _SIZES.get(kind, 0) * number
            if not 0 < size <= _LONGEST:
                continue
            place = at + record - inline
            if size > inline:
                pointer = self.order + ("Q" if self.big else "I")
                (place,) = struct.unpack_from(pointer, raw, record - inline)
            yield Entry(tag, kind, number, at, place)

    def end(self, start: int) -> int:
        """Return the place behind a directory's entries, where the next one is pointed at."""
        head, record = (8, 20) if self.big else (2, 12)
        (count,) = struct.unpack(self.order + ("Q" if self.big else "H"), self.read(start, head))
        return int(start + head + count * record)

    def whole(self, entry: Entry) -> int | None:
        """Return a value as a whole number, in whichever type it is stored."""
        raw = self.read(entry.place, entry.size)
        if len(raw) < entry.size:
            return None
        if entry.kind in _WHOLE:
            return int(struct.unpack_from(self.order + _WHOLE[entry.kind], raw)[0])
        if entry.kind in (5, 10):
            upper, lower = struct.unpack_from(self.order + ("II" if entry.kind == 5 else "ii"), raw)
            return upper // lower if lower else None
        if entry.kind in (11, 12):
            (value,) = struct.unpack_from(self.order + ("f" if entry.kind == 11 else "d"), raw)
            return int(value) if abs(value) < _LONGEST else None
        digits = raw.strip(b"\x00 ")
        return int(digits) if digits.isdigit() and len(digits) < 10 else None

    def directories(self) -> Iterator[tuple[int, int]]:
        """Yield pointer tag (0: the main one) and start of the main directory and those below."""
        yield 0, self.first
        below = [(0, self.first)]
        seen = {self.first}
        while below:
            _, start = below.pop(0)
            for entry in self.entries(start):
                if entry.tag in POINTERS and (to := self.whole(entry)) and to not in seen:
                    seen.add(to)
                    below.append((entry.tag, to))
                    yield entry.tag, to


def bare(block: bytes | None) -> bytes | None:
    """Strip JPEG's prefix; None for what is not an EXIF block."""
    while block and block.startswith(_PREFIX):
        block = block[len(_PREFIX) :]
    return block if block and block[:4] in (b"II*\x00", b"MM\x00*") and len(block) >= 14 else None


def tags_of(block: bytes) -> Tags:
    """Return the structure of a block."""
    return Tags.of(lambda place, size: block[place : place + size])


def orientation(exif: bytes | None) -> int | None:
    """Return the orientation, 1 to 8, in whichever type it is stored; None without a sound one."""
    if exif is None:
        return None
    tags = tags_of(exif)
    for entry in tags.entries(tags.first):
        if entry.tag == ORIENTATION:
            value = tags.whole(entry)
            if value is not None and 1 <= value <= 8:
                return value
    return None


def number(exif: bytes | None, tag: int) -> float | None:
    """Return the first number of a tag of any directory, as a float."""
    if exif is None:
        return None
    tags = tags_of(exif)
    for _, start in tags.directories():
        for entry in tags.entries(start):
            if entry.tag == tag:
                return _float(tags, entry)
    return None


def is_adobe_rgb(exif: bytes | None) -> bool:
    """Whether a camera says that its codes are of Adobe RGB, as DCF 2.0 has it: index "R03".

    The colour space 2 says the same; EXIF does not know it, but cameras have written it.
    """
    if exif is None:
        return False
    tags = tags_of(exif)
    for pointer, start in tags.directories():
        for entry in tags.entries(start):
            if pointer == INTEROP_IFD and entry.tag == _INTEROP_INDEX:
                return tags.read(entry.place, entry.size)[:3] == b"R03"
            if pointer == EXIF_IFD and entry.tag == _COLOUR_SPACE and tags.whole(entry) == 2:
                return True
    return False


def _float(tags: Tags, entry: Entry) -> float | None:
    raw = tags.read(entry.place, entry.size)
    if entry.kind in (5, 10) and len(raw) >= 8:
        upper, lower = struct.unpack_from(tags.order + ("II" if entry.kind == 5 else "ii"), raw)
        return upper / lower if lower else None
    value = tags.whole(entry)
    return None if value is None else float(value)


def upright(exif: bytes | None, was: int, size: tuple[int, int]) -> bytes | None:
    """Make a block true for the upright picture.

    Every orientation becomes 1 in the type it has, pixel sizes are the picture's, the resolutions
    across and down change places with the sides, and the embedded thumbnail, which shows the old
    picture, is unlinked and blanked.

    Parameters
    ----------
    was
        The orientation that was applied to the pixels.
    size
        Width and height of the upright picture.
    """
    if exif is None:
        return None
    patched = bytearray(exif)
    tags = tags_of(exif)
    resolutions: dict[int, Entry] = {}
    for _, start in tags.directories():
        for entry in tags.entries(start):
            if entry.tag == ORIENTATION:
                _set(patched, tags, entry, 1)
            elif entry.tag in _WIDTHS:
                _set(patched, tags, entry, size[0])
            elif entry.tag in _HEIGHTS:
                _set(patched, tags, entry, size[1])
            elif entry.tag in _RESOLUTIONS:
                resolutions[entry.tag] = entry
            elif entry.tag in _SUBJECT and entry.kind == 3 and 2 <= entry.count <= 4:
                _turn_area(patched, tags, entry, was, size)
    if was in SIDEWAYS and len(resolutions) == 2:
        across, down = (resolutions[tag].record for tag in _RESOLUTIONS)
        patched[across + 2 : across + 12] = exif[down + 2 : down + 12]
        patched[down + 2 : down + 12] = exif[across + 2 : across + 12]
    _blank_thumbnail(patched, tags)
    return bytes(patched)


def without_orientation(exif: bytes | None) -> bytes | None:
    """Take the orientation out of the main directory; all values stay where they are."""
    if exif is None:
        return None
    patched, tags = bytearray(exif), tags_of(exif)
    records = [entry.record for entry in tags.entries(tags.first) if entry.tag == ORIENTATION]
    for record in reversed(records):
        end = tags.end(tags.first) + 4
        patched[record:end] = patched[record + 12 : end] + bytes(12)
    (count,) = struct.unpack_from(tags.order + "H", exif, tags.first)
    struct.pack_into(tags.order + "H", patched, tags.first, count - len(records))
    return bytes(patched) if count > len(records) else None


def _set(patched: bytearray, tags: Tags, entry: Entry, value: int) -> None:
    if entry.kind in _WHOLE and entry.place + entry.size <= len(patched):
        code = tags.order + _WHOLE[entry.kind]
        top = (1 << 8 * struct.calcsize(code)) - 1
        if _WHOLE[entry.kind].islower():
            top >>= 1
        struct.pack_into(code, patched, entry.place, min(value, top))
    elif entry.kind in (5, 10) and entry.place + 8 <= len(patched):
        struct.pack_into(tags.order + "II", patched, entry.place, value, 1)
    elif entry.kind == 2 and entry.place + entry.size <= len(patched):
        text = str(value).encode()[: entry.size]
        patched[entry.place : entry.place + entry.size] = text.ljust(entry.size, b"\x00")


def _turn_area(
    patched: bytearray, tags: Tags, entry: Entry, was: int, size: tuple[int, int]
) -> None:
    """Bring a point, circle or rectangle of the stored picture to the upright one."""
    raw = tags.read(entry.place, entry.size)
    if len(raw) < entry.size or was == 1:
        return
    x, y, *sides = struct.unpack(f"{tags.order}{entry.count}H", raw)
    if was in SIDEWAYS:
        x, y, sides = y, x, sides[::-1]
    if was in (2, 3, 6, 7):
        x = max(size[0] - 1 - x, 0)
    if was in (3, 4, 7, 8):
        y = max(size[1] - 1 - y, 0)
    struct.pack_into(f"{tags.order}{entry.count}H", patched, entry.place, x, y, *sides)


def _blank_thumbnail(patched: bytearray, tags: Tags) -> None:
    try:
        link = tags.end(tags.first)
        (second,) = struct.unpack_from(tags.order + "I", patched, link)
    except struct.error:
        return
    struct.pack_into(tags.order + "I", patched, link, 0)
    found = {entry.tag: tags.whole(entry) for entry in tags.entries(second)}
    place, size = (found.get(tag) or 0 for tag in _THUMBNAIL)
    if place > max(second, link) and place + size <= len(patched):
        patched[place : place + size] = bytes(size)


def resolution(exif: bytes | None) -> tuple[float, float] | None:
    """Return dots per inch across and down."""
    unit = number(exif, 0x0128)
    pair = [number(exif, tag) for tag in _RESOLUTIONS]
    if unit not in {2, 3} or not all(value and 0 < value < 1e6 for value in pair):
        return None
    factor = 1.0 if unit == 2 else 2.54
    across, down = (float(value or 0) * factor for value in pair)
    return across, down
