"""What is wrong with a header, for a program and in the protocol's words.

msgspec says in a sentence of its own which place does not fit; field, value and limit are looked up
in the header and in the definition of that place.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import math
import re
from typing import Any, TypeAlias

import msgspec
from msgspec import inspect

from daemon.wire.protocol import ClientMessage, Scalar
from daemon.wire.refusal import Refused
from daemon.wire.words import word

Step: TypeAlias = "str | int"

_PLACE = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_MISSING = re.compile(r"missing required field `(?P<name>\w+)`")
_STEP = re.compile(r"\.(?P<name>\w+)|\[(?P<index>\d+)\]")
_HINTS = {
    "image.transfer": "A photo as files hold it is `srgb`; `linear` is for numbers that grow with "
    "the light.",
    "image.width": "Enlarge the picture: less than that holds nothing to recognise.",
    "image.height": "Enlarge the picture: less than that holds nothing to recognise.",
    "type": "See the messages from client to daemon in docs/protocol.md.",
}


def refusal(header: bytes | memoryview, fault: Exception) -> Refused:
    """Turn msgspec's complaint about a client's header into a refusal that a program can use."""
    try:
        sent = msgspec.msgpack.decode(header)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return Refused("bad_request", "the header is not msgpack", "Frame 0 is a msgpack map.")
    if not isinstance(sent, dict):
        return Refused("bad_request", "the header is not a map", "Frame 0 is a msgpack map.")
    text = str(fault)
    at = _PLACE.search(text)
    steps = _steps(at["path"]) if at else []
    missing = _MISSING.search(text)
    if missing:
        steps = [*steps, missing["name"]]
    kind = _definition(inspect.type_info(ClientMessage), sent, steps)
    field, value = spelt(steps), _found(sent, steps)
    allowed = word(kind) if kind is not None else "something else"
    what = "is required:" if missing else "must be"
    got = "" if missing else f", got {_shown(value)}"
    return Refused(
        "bad_request",
        f"`{field}` {what} {allowed}{got}",
        _HINTS.get(field),
        field=field,
        value=_scalar(value),
        limit=_limit(kind, value),
        allowed=_choices(kind),
    )


def unknown_field(header: bytes | memoryview, field: str) -> Refused:
    """Refuse a field that the protocol does not know; `header` is otherwise in order."""
    way, _, last = field.rpartition(".")
    steps: list[Step] = [*_steps(f".{way}"), last]
    sent = msgspec.msgpack.decode(header)
    kind = _definition(inspect.type_info(ClientMessage), sent, steps[:-1])
    names = (
        [each.encode_name for each in kind.fields] if isinstance(kind, inspect.StructType) else []
    )
    near = difflib.get_close_matches(str(steps[-1]), names, 1)
    return Refused(
        "bad_request",
        f"`{field}` is not known here",
        f"Did you mean `{spelt([*steps[:-1], near[0]])}`?" if near else "Leave it out.",
        field=field,
        allowed=names,
    )


def spelt(steps: list[Step]) -> str:
    """Spell the way to a field: `lens.kernel[0][3]`."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return "".join(parts).removeprefix(".")


def _steps(path: str) -> list[Step]:
    return [
        int(found["index"]) if found["index"] else found["name"] for found in _STEP.finditer(path)
    ]


def _found(sent: Any, steps: list[Step]) -> Any:
    with contextlib.suppress(LookupError, TypeError):
        for step in steps:
            sent = sent[step]
        return sent
    return None


def _definition(kind: inspect.Type, sent: Any, steps: list[Step]) -> inspect.Type | None:  # noqa: PLR0911 - one line per kind
    """Walk through the definitions as the header has it."""
    if isinstance(kind, inspect.Metadata):
        return _definition(kind.type, sent, steps)
    if isinstance(kind, inspect.UnionType) and (steps or _structs(kind)):
        return _of_union(kind, sent, steps)
    if not steps:
        return kind
    first, *rest = steps
    inner = _found(sent, [first])
    if isinstance(kind, inspect.StructType):
        if first == kind.tag_field:
            return inspect.LiteralType((kind.tag,))
        named = [field.type for field in kind.fields if field.encode_name == first]
        return _definition(named[0], inner, rest) if named else None
    if isinstance(kind, inspect.TupleType) and isinstance(first, int):
        return _definition(kind.item_types[first], inner, rest)
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return _definition(kind.item_type, inner, rest)
    return None


def _structs(kind: inspect.UnionType) -> list[inspect.StructType]:
    return [each for each in kind.types if isinstance(each, inspect.StructType) and each.tag_field]


def _of_union(kind: inspect.UnionType, sent: Any, steps: list[Step]) -> inspect.Type | None:
    tagged = _structs(kind)
    if tagged and steps == [tagged[0].tag_field]:
        return inspect.LiteralType(tuple(sorted(str(each.tag) for each in tagged)))
    for each in tagged:
        if isinstance(sent, dict) and sent.get(each.tag_field) == each.tag:
            return _definition(each, sent, steps)
    others = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
    return _definition(others[0], sent, steps) if steps and not tagged else kind


def _choices(kind: inspect.Type | None) -> list[str]:
    if isinstance(kind, inspect.UnionType):
        return [choice for each in kind.types for choice in _choices(each)]
    return list(map(str, kind.values)) if isinstance(kind, inspect.LiteralType) else []


def _limit(kind: inspect.Type | None, value: Any) -> float | None:
    """Return the bound that a number is beyond, or a text or list with its length."""
    if isinstance(kind, inspect.Metadata):
        return _limit(kind.type, value)
    if isinstance(kind, inspect.UnionType):
        return next(
            (found for each in kind.types if (found := _limit(each, value)) is not None), None
        )
    if isinstance(kind, inspect.IntType | inspect.FloatType) and _is_number(value):
        low, high = kind.ge if kind.gt is None else kind.gt, kind.le
        size = value
    elif isinstance(kind, inspect.StrType | inspect.ListType | inspect.VarTupleType) and isinstance(
        value, str | list
    ):
        low, high, size = kind.min_length, kind.max_length, len(value)
    else:
        return None
    if low is not None and size <= low and not (size == low and getattr(kind, "gt", None) is None):
        return low
    return high if high is not None and size > high else None


def _scalar(value: Any) -> Scalar | None:
    """Return a value that fits into an answer: NaN and infinity do not."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    """Show what was sent as JSON would, shortened."""
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "bytes" if isinstance(value, bytes) else json.dumps(value, default=str)[:80]
