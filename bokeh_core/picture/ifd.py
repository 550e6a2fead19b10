"""Make an EXIF block of the tags of a TIFF file, whose values may lie anywhere in it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from bokeh_core.picture.exif import EXIF_IFD, INTEROP_IFD, MAKER_NOTE, POINTERS, Tags

if TYPE_CHECKING:
    from collections.abc import Collection

Value = tuple[int, int, bytes]
"""Type, count and bytes."""
_NARROW = {16: 4, 17: 9, 18: 13}
"""BigTIFF's 8-byte types, and what EXIF has for them."""
_FARTHEST = 60_000
"""A maker note up to here stays at its offset, which what it holds may be relative to."""


def block_of(tags: Tags, start: int, leave_out: Collection[int]) -> bytes | None:
    """Collect a directory and its EXIF, place and interoperability directories in a new block.

    Parameters
    ----------
    tags
        The file's structure.
    start
        Where the picture's directory begins.
    leave_out
        Tags of the main directory that tell how the pixels are stored.
    """
    main = _values(tags, start)
    places = dict(_pointers(tags, start))
    below = {tag: _values(tags, at) for tag, at in places.items()}
    deeper = dict(_pointers(tags, places[EXIF_IFD])) if EXIF_IFD in places else {}
    if INTEROP_IFD in deeper:
        below[INTEROP_IFD] = _values(tags, deeper[INTEROP_IFD])
    kept = {tag: value for tag, value in main.items() if tag not in leave_out}
    if not kept and not any(below.values()):
        return None
    return _written(tags, kept, below, _place_of_note(tags, places))


def _place_of_note(tags: Tags, places: dict[int, int]) -> int:
    if EXIF_IFD not in places:
        return 0
    found = (entry.place for entry in tags.entries(places[EXIF_IFD]) if entry.tag == MAKER_NOTE)
    return next(found, 0)


def _pointers(tags: Tags, start: int) -> list[tuple[int, int]]:
    found = [(entry.tag, tags.whole(entry)) for entry in tags.entries(start)]
    return [(tag, to) for tag, to in found if tag in POINTERS and to]


def _values(tags: Tags, start: int) -> dict[int, Value]:
    values = {}
    for entry in tags.entries(start):
        raw = tags.read(entry.place, entry.size)
        if entry.tag in POINTERS or len(raw) < entry.size:
            continue
        kind = entry.kind
        if kind in _NARROW:
            numbers = struct.unpack(f"{tags.order}{entry.count}{'q' if kind == 17 else 'Q'}", raw)
            if not all(abs(value) < 1 << 31 for value in numbers):
                continue
            kind = _NARROW[kind]
            code = "i" if kind == 9 else "I"
            raw = struct.pack(f"{tags.order}{entry.count}{code}", *numbers)
        values[entry.tag] = (kind, entry.count, raw)
    return values


def _written(
    tags: Tags, main: dict[int, Value], below: dict[int, dict[int, Value]], note_at: int
) -> bytes:
    """Lay out the directories one after the other, then the values that are longer than 4 bytes."""
    directories = {0: main, **below}
    starts, end = {}, 8
    for tag, values in directories.items():
        pointers = _pointers_in(tag, below)
        starts[tag] = end
        end += 2 + 12 * (len(values) + len(pointers)) + 4
    out = bytearray((b"II*\x00" if tags.order == "<" else b"MM\x00*") + bytes(end - 4))
    struct.pack_into(tags.order + "I", out, 4, 8)
    note = below.get(EXIF_IFD, {}).get(MAKER_NOTE)
    if note and len(out) <= note_at <= _FARTHEST:
        out += bytes(note_at - len(out)) + note[2]
    else:
        note_at = 0
    for tag, values in directories.items():
        below_here = {
            key: (4, 1, struct.pack(tags.order + "I", starts[key]))
            for key in _pointers_in(tag, below)
        }
        struct.pack_into(tags.order + "H", out, starts[tag], len(values) + len(below_here))
        for index, (key, (kind, count, raw)) in enumerate(sorted((values | below_here).items())):
            record = struct.pack(tags.order + "HHI", key, kind, count)
            if len(raw) <= 4:
                record += raw.ljust(4, b"\x00")
            elif note_at and (tag, key) == (EXIF_IFD, MAKER_NOTE):
                record += struct.pack(tags.order + "I", note_at)
            else:
                record += struct.pack(tags.order + "I", _put(out, raw))
            at = starts[tag] + 2 + 12 * index
            out[at : at + 12] = record
    return bytes(out)


def _pointers_in(tag: int, below: dict[int, dict[int, Value]]) -> list[int]:
    if tag == 0:
        return [key for key in below if key != INTEROP_IFD]
    return [INTEROP_IFD] if tag == EXIF_IFD and INTEROP_IFD in below else []


def _put(out: bytearray, raw: bytes) -> int:
    if len(out) % 2:
        out += b"\x00"
    place = len(out)
    out += raw
    return place
