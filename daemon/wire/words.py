"""Types in words: what the protocol's page says of a field, and what its refusal says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import inspect

if TYPE_CHECKING:
    from collections.abc import Callable

Struct: TypeAlias = type[Any]


def plain(struct: Struct) -> str:
    """Name a struct without a link."""
    return f"`{struct.__name__}`"


def words(hint: Any, name: Callable[[Struct], str] = plain) -> str:
    """Word a type with its limits; `name` words the structs in it."""
    return word(inspect.type_info(hint), name)


def word(kind: inspect.Type, name: Callable[[Struct], str] = plain) -> str:  # noqa: PLR0911 - one line per kind
    """Word a type as `msgspec.inspect` describes it; see `words`."""
    if isinstance(kind, inspect.Metadata):
        return word(kind.type, name)
    if isinstance(kind, inspect.UnionType):
        return " or ".join(word(each, name) for each in kind.types)
    if isinstance(kind, inspect.StructType):
        return name(kind.cls)
    if isinstance(kind, inspect.LiteralType):
        return ", ".join(f"`{value}`" for value in kind.values)
    if isinstance(kind, inspect.TupleType):
        return f"[{', '.join(word(each, name) for each in kind.item_types)}]"
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return f"list of {word(kind.item_type, name)}{_range(kind.min_length, kind.max_length)}"
    if isinstance(kind, inspect.DictType):
        return f"map of text to {word(kind.value_type, name)}"
    if isinstance(kind, inspect.StrType):
        pattern = f" `{kind.pattern.removesuffix(chr(92) + 'Z')}$`" if kind.pattern else ""
        return f"text{_range(kind.min_length, kind.max_length)}{pattern}"
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        number = "integer" if isinstance(kind, inspect.IntType) else "float"
        low = kind.ge if kind.gt is None else f"above {kind.gt:g}"
        return f"{number}{_range(low, kind.le)}"
    return {"NoneType": "null", "BoolType": "boolean"}.get(type(kind).__name__, "any")


def _range(low: float | str | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    if low == high:
        return f" ({low})"
    first, last = (f"{end:,.10g}" if isinstance(end, int | float) else end for end in (low, high))
    return f" ({first or '0'} to {last})" if last else f" ({first} or more)"
