"""The protocol as JSON Schema, made from the message definitions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import msgspec

from daemon.wire import discovery, protocol

PLACE = Path("docs/protocol.schema.json")
MESSAGES = (*get_args(protocol.ClientMessage), *get_args(protocol.ServerMessage))
ROOT = "#/$defs/{name}"


def schema() -> dict[str, Any]:
    """Return the whole schema: a header fits when it is a message of either side."""
    kinds = (*MESSAGES, discovery.Connection)
    _, parts = msgspec.json.schema_components(kinds, ref_template=ROOT)
    either = {
        "ClientMessage": _one_of(get_args(protocol.ClientMessage)),
        "ServerMessage": _one_of(get_args(protocol.ServerMessage)),
    }
    # Python's end of a text, in the words of JSON Schema's patterns
    text = json.dumps({**either, **parts}).replace(r"\\Z", "$")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"defocus, protocol {protocol.PROTOCOL[1]}.{protocol.MINOR}: headers",
        "description": "What a header may be; frames with pixels follow it. The connection file is "
        "`Connection`.",
        "anyOf": [{"$ref": ROOT.format(name=name)} for name in either],
        "$defs": dict(sorted(json.loads(text).items())),
    }


def text() -> str:
    """Return the file's content."""
    return json.dumps(schema(), indent=1) + "\n"


def _one_of(kinds: tuple[type, ...]) -> dict[str, Any]:
    return {"oneOf": [{"$ref": ROOT.format(name=kind.__name__)} for kind in kinds]}
