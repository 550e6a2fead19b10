"""Recorded conversations go the same way with a real daemon today, also in the schema's eyes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import jsonschema
import msgpack
import pytest

from daemon.wire import codec, protocol
from tests.protocol import conversations, schema, scripts
from tests.reliability.sandbox import sandbox, wait_for

HERE = Path(__file__).parent
NAMES = sorted(scripts.SCRIPTS, key=lambda name: name == "stop")  # that one ends the daemon


@pytest.fixture(scope="module")
def place():
    with sandbox("daemon.worker.engine") as made:
        made.start()
        with made.client() as client:
            wait_for(lambda: client.status().worker == "idle", 120, "the networks")
        yield made


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_conversation_goes_the_same_way(place, name):
    steps = conversations.read(HERE / f"{name}.jsonl")
    pairs = conversations.replay(place.where, steps)
    assert pairs
    for recorded, now in pairs:
        conversations.check(recorded, now)


def messages():
    for name in NAMES:
        for step in conversations.read(HERE / f"{name}.jsonl"):
            yield name, step.get("send") or step["receive"]


def test_what_is_recorded_is_what_the_scripts_say():
    for name, script in scripts.SCRIPTS.items():
        sent = [s["send"] for s in conversations.read(HERE / f"{name}.jsonl") if "send" in s]
        assert json.loads(json.dumps([header for _, header, *_ in script() if header])) == sent


def test_every_message_of_the_protocol_occurs_in_a_recording():
    every = (*get_args(protocol.ClientMessage), *get_args(protocol.ServerMessage))
    tags = {kind.__struct_config__.tag for kind in every}
    assert tags <= {header["type"] for _, header in messages()}


def test_what_recordings_send_is_readable_without_a_daemon():
    for name, header in messages():
        if name != "errors" and header["type"] in codec.CLIENT_TYPES:
            codec.decode_client(msgpack.packb(header))


@pytest.fixture(scope="module")
def validator():
    written = schema.schema()
    jsonschema.Draft202012Validator.check_schema(written)
    return jsonschema.Draft202012Validator(written)


def test_the_schema_takes_what_was_said_and_refuses_what_the_daemon_refused(validator):
    """What no type can say, such as values that exclude each other, is left to the daemon."""
    beyond = {"too_large", "model_missing", "deadline"}
    for name in NAMES:
        steps = conversations.read(HERE / f"{name}.jsonl")
        for step, answer in zip(steps, [*steps[1:], {}], strict=True):
            header = step.get("send") or _concrete(step["receive"])
            refused = answer.get("receive", {}) if "send" in step else {}
            typed = refused.get("field") and refused["code"] == "bad_request"
            wrong = name == "errors" and refused.get("code") not in beyond and typed
            words = [error.message for error in validator.iter_errors(header)]
            if not wrong:
                assert words == [], header
            elif "must be" in refused["message"] or "is required" in refused["message"]:
                assert words, header


def _concrete(header):
    """Put a value for `...` where the recording has none: an empty one of its kind."""
    empty = {"timing": {}, "cache": {}, "finished": {}, "devices": [], "models": []}
    text = {"server", "device"}
    filled = {
        name: (empty.get(name, "x" if name in text else 0) if value == conversations.ANY else value)
        for name, value in header.items()
    }
    if header.get("worker") == conversations.ANY:
        filled["worker"] = "idle"
    for plane in filled["planes"] if header["type"] == "result" else []:
        plane["digest"] = plane["digest"] and "0" * 64
    return filled
