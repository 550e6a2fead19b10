"""Writes `docs/protocol.md` from the message definitions: `python -m tests.protocol.page FILE`."""

from __future__ import annotations

import argparse
import inspect
import json
import re
import textwrap
import typing
from pathlib import Path
from typing import Any

import msgspec

from daemon.server import transport
from daemon.setup import launcher
from daemon.wire import capabilities, codec, discovery, people, planes, protocol, strokes
from daemon.wire import lens as wire_lens
from daemon.wire.refusal import Refused
from daemon.wire.words import words
from tests.protocol import conversations, schema, scripts

CLIENT = typing.get_args(protocol.ClientMessage)
SERVER = typing.get_args(protocol.ServerMessage)
PARTS = (
    planes.Image,
    planes.Map,
    planes.File,
    planes.Region,
    strokes.Stroke,
    people.Person,
    planes.ResultPlane,
    wire_lens.Lens,
    wire_lens.BinnedGaussian,
    wire_lens.Preset,
    wire_lens.Camera,
    capabilities.Limits,
    capabilities.Model,
    capabilities.PresetInfo,
    capabilities.Cache,
)

HERE = Path(__file__).parent
OUTLINE = 4
"""Points of an outline that a reader needs to see."""
INTRODUCTION = (HERE / "introduction.md").read_text(encoding="utf-8")


def page() -> str:
    """Return the whole document."""
    doc = inspect.getdoc(protocol) or ""
    conversation = doc[doc.index("    client") : doc.index("A message is")]
    introduction = INTRODUCTION.format(
        low=protocol.PROTOCOL[1],
        minor=protocol.MINOR,
        file=discovery.FILE_NAME,
        launcher=launcher.FILE_NAME,
        finding=inspect.getdoc(discovery.Connection),
        fields="\n".join(_rows(discovery.Connection)),
        conversation=inspect.cleandoc(conversation),
        framing=doc[doc.index("A message is") : doc.index("Parameters of the blur")].strip(),
        limits=capabilities.Limits(),
        control=transport.MAX_CONTROL_BYTES,
        waiting=transport.MAX_WAITING,
        example=_example(),
        errors="\n".join(
            f"| `{code}` | {'yes' if retryable else 'no'} | {meaning} | {hint} |"
            for code, (retryable, meaning, hint) in protocol.ERRORS.items()
        ),
    )
    sections = [introduction, "## From client to daemon", *map(_section, CLIENT)]
    sections += ["## From daemon to client", *map(_section, SERVER)]
    sections += ["## Parts of messages", *map(_section, PARTS)]
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _example() -> str:
    """Return a real error as JSON."""
    image = {"width": 20, "height": 16, "transfer": "srgb", "digest": "ab" * 32}
    lens = {"kind": "lens", "max_coc": -1}
    wrong = {"type": "render", "id": "r1", "image": image, "lens": lens}
    try:
        codec.decode_client(msgspec.msgpack.encode(wrong))
    except Refused as refusal:
        return msgspec.json.encode(refusal.reply("r1", "render")).decode().replace(',"', ', "')
    raise AssertionError


def _section(struct: Any) -> str:
    config = struct.__struct_config__
    tag = f' (`{config.tag_field}: "{config.tag}"`)' if config.tag else ""
    title = f"### `{config.tag}`" if config.tag_field == "type" else f"### {struct.__name__}{tag}"
    rows = list(_rows(struct))
    table = ["| field | type | default | meaning |", "|---|---|---|---|", *rows] if rows else []
    shown = _shown(config.tag) if config.tag_field == "type" else []
    return "\n".join([title, "", inspect.getdoc(struct) or "", "", *table, *shown])


def _shown(tag: str) -> list[str]:
    """Return a message as JSON: the fullest of that type among the recorded ones."""
    told = (
        header
        for name in sorted(scripts.SCRIPTS)
        for step in conversations.read(HERE / f"{name}.jsonl")
        if (header := step.get("send") or step["receive"])["type"] == tag
    )
    # what is wrong on purpose stands under Errors
    sound = [header for header in told if tag == "error" or _is_sound(header)]
    best = max(sound, key=lambda header: len(json.dumps(header)))
    seen = [dict(one, outline=one["outline"][:OUTLINE]) for one in best.get("people") or []]
    told_so = [f"(Of each outline the first {OUTLINE} points.)", ""] if tag == "result" else []
    shown = {**best, "people": seen} if tag == "result" else best
    return ["", *told_so, "```json", _wrapped(json.dumps(shown)), "```"]


def _wrapped(text: str) -> str:
    """Break JSON into lines, but no text in it."""
    glued = re.sub(r'"(?:[^"\\]|\\.)*"', lambda found: found[0].replace(" ", "\0"), text)
    options = {"break_on_hyphens": False, "break_long_words": False}
    return textwrap.fill(glued, 100, **options).replace("\0", " ")


def _is_sound(header: dict[str, Any]) -> bool:
    try:
        if header["type"] in codec.CLIENT_TYPES:
            raw = msgspec.msgpack.encode(header)
            return not codec.ignored(raw, codec.decode_client(raw))
    except Refused:
        return False
    return True


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
    import bokeh_core

    if struct not in (wire_lens.Lens, wire_lens.BinnedGaussian):
        return ""
    found = getattr(bokeh_core, struct.__name__).__dataclass_fields__[name].metadata
    unit = f" [{found['unit']}]" if found.get("unit") else ""
    return f"{found['help']}{unit}"


def _type(hint: Any) -> str:
    return words(hint, lambda struct: f"[{struct.__name__}](#{_anchor(struct)})")


def _anchor(struct: type[msgspec.Struct]) -> str:
    config = struct.__struct_config__
    tag = f"-type-{config.tag}" if config.tag_field == "type" else ""
    kind = f"-kind-{config.tag}" if config.tag_field == "kind" else ""
    return f"{struct.__name__.lower()}{tag}{kind}"


def main() -> None:
    """Write the page, to `docs/protocol.md` unless told otherwise, and the schema beside it."""
    parser = argparse.ArgumentParser(prog="python -m tests.protocol.page", description=__doc__)
    parser.add_argument(
        "file", nargs="?", type=Path, default=Path("docs/protocol.md"), help="(%(default)s)"
    )
    file = parser.parse_args().file
    file.write_text(page(), encoding="utf-8")
    file.with_name(schema.PLACE.name).write_text(schema.text(), encoding="utf-8")


if __name__ == "__main__":
    main()
