"""Writes `docs/protocol.md` from the message definitions: `python -m daemon.protocol_page FILE`."""

from __future__ import annotations

import argparse
import inspect
import typing
from pathlib import Path
from typing import Any

import msgspec

from daemon import connection, figures, optics, planes, post, protocol

CLIENT = typing.get_args(protocol.ClientMessage)
SERVER = typing.get_args(protocol.ServerMessage)
PARTS = (
    planes.Plane,
    planes.ResultPlane,
    optics.Lens,
    optics.BinnedGaussian,
    optics.Camera,
    figures.Limits,
    figures.Model,
    figures.Cache,
)

INTRODUCTION = """\
# Protocol {low}

This page is generated from the message definitions (`python -m daemon.protocol_page`), which the
daemon itself checks every message against. Everything a client needs is here; `examples/client.py`
is a complete one in sixty lines without a ZeroMQ library, and `tests/protocol/` holds recorded
conversations.

## Finding the daemon

{finding}

| field | type | default | meaning |
|---|---|---|---|
{fields}

The file is in the runtime directory: `$DEFOCUS_RUNTIME_DIR`, else `$XDG_RUNTIME_DIR/defocus`, else
`/run/user/UID/defocus`, else `runtime-UID/defocus` in the temporary directory (Linux);
`~/Library/Caches/TemporaryItems/defocus` (macOS); `%LOCALAPPDATA%\\Temp\\defocus` (Windows).
`defocus daemon start` returns as soon as it is there. A file whose process is gone, or started at
another time, is stale.

## Framing

{framing}

On the wire this is ZMTP 3.0 with mechanism NULL (CURVE for remote daemons): any ZeroMQ library, or
the few lines of `examples/client.py`. Two connections, `work` and `control`, each opened with
`hello`; `render` and `pixels` belong on `work`, everything else goes on either.

```
{conversation}
```

- A frame of more than {control:,} bytes on `control`, or on `work` of more than any plane within
  `max_pixels` needs, is not answered: the connection is dropped.
- Integers and floats are msgpack's own; a float may be sent as an integer. Text is UTF-8.
- `null` (nil) stands for "not given" where the type says so.
- While a request is accepted and unanswered, `progress` comes at least every
  {limits.progress_every_s:g} s: silence for {limits.silence_s:g} s means that the daemon is gone.
- A `pong` may come unasked at any time; ignore messages that are not expected.
- Read what comes: a client that lets more than {waiting:,} answers pile up counts as gone.
- `need` may come again until the answer (a worker died or its cache was full): keep the pixels.
- A client whose connection closes, or says `hello` as another session, has its requests cancelled.
  One that reconnects says `hello` with the same `session` and sends its `render` again: a live
  request goes on, a finished one is answered from the cache for {limits.result_kept_s:g} s.

## Versions

`protocol` is a pair [lowest, highest] of whole numbers; the highest common one is spoken, and none
in common is refused with `unsupported_version`. Within one number messages and fields are only
added, every added field has a default, and a reader ignores fields it does not know.

## Errors

Every wrong message gets an `error`; the connection stays usable. `retryable` in the message counts,
the column tells what is usual.

| code | usually retryable | meaning | default hint |
|---|---|---|---|
{errors}
"""


def page() -> str:
    """Give the whole document."""
    doc = inspect.getdoc(protocol) or ""
    conversation = doc[doc.index("    client") : doc.index("A message is")]
    introduction = INTRODUCTION.format(
        low=protocol.PROTOCOL[1],
        finding=inspect.getdoc(connection.Connection),
        fields="\n".join(_rows(connection.Connection)),
        conversation=inspect.cleandoc(conversation),
        framing=doc[doc.index("A message is") : doc.index("Parameters of the blur")].strip(),
        limits=figures.Limits(),
        control=post.MAX_CONTROL_BYTES,
        waiting=post.MAX_WAITING,
        errors="\n".join(
            f"| `{code}` | {'yes' if retryable else 'no'} | {meaning} | {hint} |"
            for code, (retryable, meaning, hint) in protocol.ERRORS.items()
        ),
    )
    sections = [introduction, "## From client to daemon", *map(_section, CLIENT)]
    sections += ["## From daemon to client", *map(_section, SERVER)]
    sections += ["## Parts of messages", *map(_section, PARTS)]
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _section(struct: Any) -> str:
    config = struct.__struct_config__
    tag = f' (`{config.tag_field}: "{config.tag}"`)' if config.tag else ""
    title = f"### `{config.tag}`" if config.tag_field == "type" else f"### {struct.__name__}{tag}"
    rows = list(_rows(struct))
    table = ["| field | type | default | meaning |", "|---|---|---|---|", *rows] if rows else []
    return "\n".join([title, "", inspect.getdoc(struct) or "", "", *table])


def _rows(struct: type[msgspec.Struct]) -> typing.Iterator[str]:
    hints = typing.get_type_hints(struct, include_extras=True)
    for field in msgspec.structs.fields(struct):
        meaning = _description(hints[field.name]) or _library_help(struct, field.name)
        default = "required" if field.required else f"`{_plain(_default(field))}`"
        yield f"| `{field.encode_name}` | {_type(hints[field.name])} | {default} | {meaning} |"


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default_factory() if callable(field.default_factory) else field.default


def _plain(value: Any) -> str:
    if isinstance(value, msgspec.Struct):
        return f"{type(value).__name__} with its defaults"
    return msgspec.json.encode(value).decode().replace("|", "\\|")


def _description(hint: Any) -> str:
    for meta in getattr(hint, "__metadata__", ()):
        if meta.description:
            return str(meta.description)
    return "the request" if hint == planes.Id else ""


def _library_help(struct: type[msgspec.Struct], name: str) -> str:
    """Take the meaning and unit of a lens field from the library, its one home."""
    from bokeh_core import lens as library  # noqa: PLC0415 - only for this page

    if struct not in (optics.Lens, optics.BinnedGaussian):
        return ""
    found = getattr(library, struct.__name__).__dataclass_fields__[name].metadata
    unit = f" [{found['unit']}]" if found.get("unit") else ""
    return f"{found['help']}{unit}"


def _type(hint: Any) -> str:
    """Word a type with its limits."""
    kind = msgspec.inspect.type_info(hint)
    while isinstance(kind, msgspec.inspect.Metadata):
        kind = kind.type
    return _word(kind)


def _word(kind: msgspec.inspect.Type) -> str:  # noqa: PLR0911 - one line per kind of type
    info = msgspec.inspect
    if isinstance(kind, info.Metadata):
        return _word(kind.type)
    if isinstance(kind, info.UnionType):
        return " or ".join(map(_word, kind.types))
    if isinstance(kind, info.StructType):
        return f"[{kind.cls.__name__}](#{_anchor(kind.cls)})"
    if isinstance(kind, info.LiteralType):
        return ", ".join(f"`{value}`" for value in kind.values)
    if isinstance(kind, info.TupleType):
        return f"[{', '.join(map(_word, kind.item_types))}]"
    if isinstance(kind, info.ListType | info.VarTupleType):
        return f"list of {_word(kind.item_type)}{_range(kind.min_length, kind.max_length)}"
    if isinstance(kind, info.DictType):
        return f"map of text to {_word(kind.value_type)}"
    if isinstance(kind, info.StrType):
        pattern = f" `{kind.pattern.removesuffix(chr(92) + 'Z')}$`" if kind.pattern else ""
        return f"text{_range(kind.min_length, kind.max_length)}{pattern}"
    if isinstance(kind, info.IntType | info.FloatType):
        name = "integer" if isinstance(kind, info.IntType) else "float"
        low = kind.ge if kind.gt is None else f"above {kind.gt:g}"
        return f"{name}{_range(low, kind.le)}"
    return {"NoneType": "null", "BoolType": "boolean"}.get(type(kind).__name__, "any")


def _range(low: float | str | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    words = [f"{end:,.10g}" if isinstance(end, int | float) else end for end in (low, high)]
    first, last = words
    return f" ({first or '0'} to {last})" if last else f" ({first} or more)"


def _anchor(struct: type[msgspec.Struct]) -> str:
    config = struct.__struct_config__
    tag = f"-type-{config.tag}" if config.tag_field == "type" else ""
    kind = f"-kind-{config.tag}" if config.tag_field == "kind" else ""
    return f"{struct.__name__.lower()}{tag}{kind}"


def main() -> None:
    """Write the page, to `docs/protocol.md` unless told otherwise."""
    parser = argparse.ArgumentParser(prog="python -m daemon.protocol_page", description=__doc__)
    parser.add_argument(
        "file", nargs="?", type=Path, default=Path("docs/protocol.md"), help="(%(default)s)"
    )
    parser.parse_args().file.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
