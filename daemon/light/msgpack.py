"""Headers as bytes: the part of msgpack that the protocol needs, see https://msgpack.org.

nil, booleans, integers, floats, text, binary, arrays, and maps with text as keys; no extensions.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DEEPEST = 32
"""Arrays and maps within each other; the protocol's own messages have four."""

_FIXED = {
    0xCA: ">f",
    0xCB: ">d",
    0xCC: ">B",
    0xCD: ">H",
    0xCE: ">I",
    0xCF: ">Q",
    0xD0: ">b",
    0xD1: ">h",
    0xD2: ">i",
    0xD3: ">q",
}
"""First byte -> what the number after it is for `struct`."""
_SIZED = {
    0xC4: ("B", "bin"),
    0xC5: ("H", "bin"),
    0xC6: ("I", "bin"),
    0xD9: ("B", "str"),
    0xDA: ("H", "str"),
    0xDB: ("I", "str"),
    0xDC: ("H", "array"),
    0xDD: ("I", "array"),
    0xDE: ("H", "map"),
    0xDF: ("I", "map"),
}
"""First byte -> the length after it, and what of."""
_SINGLE = {0xC0: None, 0xC2: False, 0xC3: True}
_FORMS = {
    "bin": ((0xC4, 0xFF, "B"), (0xC5, 0xFFFF, "H"), (0xC6, 0xFFFFFFFF, "I")),
    "str": ((0xD9, 0xFF, "B"), (0xDA, 0xFFFF, "H"), (0xDB, 0xFFFFFFFF, "I")),
    "array": ((0xDC, 0xFFFF, "H"), (0xDD, 0xFFFFFFFF, "I")),
    "map": ((0xDE, 0xFFFF, "H"), (0xDF, 0xFFFFFFFF, "I")),
}
"""What of -> the forms of its length from short to long: first byte, longest, for `struct`."""


class Unreadable(ValueError):
    """Bytes that are no msgpack, or none of this part of it."""


def packb(value: Any) -> bytes:
    """Return the bytes of a value, in the shortest form.

    Raises
    ------
    TypeError, OverflowError
        There are no bytes for such a value.
    """
    for kinds, packed in _PACKED:
        if isinstance(value, kinds):
            return packed(value)
    raise TypeError(f"msgpack has no {type(value).__name__}")


def unpackb(data: bytes) -> Any:
    """Return the one value in these bytes.

    Raises
    ------
    Unreadable
        Never any other exception, whatever the bytes are.
    """
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise Unreadable(f"{len(data) - reader.at} bytes too many")
    return value


def _packed_single(value: bool | None) -> bytes:
    return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]


def _packed_int(value: int) -> bytes:
    if -32 <= value < 128:
        return struct.pack(">b" if value < 0 else ">B", value)
    codes = (0xCC, 0xCD, 0xCE, 0xCF) if value >= 0 else (0xD0, 0xD1, 0xD2, 0xD3)
    for code in codes:
        try:
            return bytes([code]) + struct.pack(_FIXED[code], value)
        except struct.error:  # noqa: PERF203 - it needs more bytes
            continue
    raise OverflowError(f"msgpack has at most 64 bits for {value}")


def _packed_float(value: float) -> bytes:
    return struct.pack(">Bd", 0xCB, value)


def _packed_text(value: str) -> bytes:
    text = value.encode()
    return (bytes([0xA0 | len(text)]) if len(text) < 32 else _length("str", len(text))) + text


def _packed_binary(value: bytes) -> bytes:
    return _length("bin", len(value)) + value


def _packed_array(value: Sequence[Any]) -> bytes:
    start = bytes([0x90 | len(value)]) if len(value) < 16 else _length("array", len(value))
    return start + b"".join(map(packb, value))


def _packed_map(value: Mapping[str, Any]) -> bytes:
    start = bytes([0x80 | len(value)]) if len(value) < 16 else _length("map", len(value))
    return start + b"".join(packb(key) + packb(each) for key, each in value.items())


_PACKED: tuple[tuple[Any, Callable[[Any], bytes]], ...] = (
    ((type(None), bool), _packed_single),  # a bool is an int too
    (int, _packed_int),
    (float, _packed_float),
    (str, _packed_text),
    (bytes, _packed_binary),
    ((list, tuple), _packed_array),
    (dict, _packed_map),
)
"""Types -> what packs their values."""


def _length(what: str, count: int) -> bytes:
    for code, most, form in _FORMS[what]:
        if count <= most:
            return bytes([code]) + struct.pack(f">{form}", count)
    raise OverflowError(f"{count} is too long for msgpack")


class _Reader:
    """Reads values from the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def value(self, depth: int) -> Any:
        """Read the next value."""
        if depth > DEEPEST:
            raise Unreadable(f"more than {DEEPEST} values within each other")
        first = self._take(1)[0]
        if first < 0x80:
            return first
        if first >= 0xE0:
            return first - 0x100
        if first < 0xC0:
            what, count = _short(first)
            return self._many(what, count, depth)
        if first in _SINGLE:
            return _SINGLE[first]
        if first in _FIXED:
            return self._number(_FIXED[first])
        if first not in _SIZED:
            raise Unreadable(f"byte {first:#04x} begins no value")
        form, what = _SIZED[first]
        return self._many(what, self._number(f">{form}"), depth)

    def _many(self, what: str, count: int, depth: int) -> Any:
        if what == "array":
            return [self.value(depth + 1) for _ in range(count)]
        if what == "map":
            return dict(self._pair(depth + 1) for _ in range(count))
        data = self._take(count)
        if what == "bin":
            return data
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise Unreadable("text that is no UTF-8") from error

    def _pair(self, depth: int) -> tuple[str, Any]:
        key = self.value(depth)
        if not isinstance(key, str):
            raise Unreadable("a key that is no text")
        return key, self.value(depth)

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _take(self, count: int) -> bytes:
        taken = self._data[self.at : self.at + count]
        if len(taken) < count:
            raise Unreadable("it ends too early")
        self.at += count
        return taken


def _short(first: int) -> tuple[str, int]:
    """Take a first byte apart that holds a length too."""
    if first >= 0xA0:
        return "str", first & 0x1F
    return ("map" if first < 0x90 else "array"), first & 0x0F
