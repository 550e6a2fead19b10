"""Recorded conversations go the same way today (`DEFOCUS_RECORD=1` records them again)."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from daemon import codec
from daemon.faults.sandbox import sandbox, wait_for

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("conversations", HERE / "conversations.py")
conversations = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(conversations)

FILES = sorted(HERE.glob("*.jsonl"))


@pytest.fixture
def where():
    with sandbox() as place:
        place.start()
        with place.client() as client:
            wait_for(lambda: client.status().worker == "idle", 10, "the worker")
        yield place.where


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recorded_conversation_goes_the_same_way(where, path):
    steps = conversations.read(path)
    went = conversations.replay(where, steps)
    if os.environ.get("DEFOCUS_RECORD"):
        conversations.write(path, went)
        pytest.skip("recorded")
    assert went == steps


def test_every_message_of_the_protocol_occurs_in_a_recording():
    from typing import get_args

    from daemon import protocol

    seen = {
        (step.get("send") or step.get("receive"))["type"]
        for path in FILES
        for step in conversations.read(path)
    }
    every = (*get_args(protocol.ClientMessage), *get_args(protocol.ServerMessage))
    assert {kind.__struct_config__.tag for kind in every} - seen == {"shutdown", "stopping"}


def test_what_recordings_send_is_readable_without_a_daemon():
    import msgpack

    for path in FILES:
        if path.stem == "errors":
            continue
        for step in conversations.read(path):
            if "send" in step:
                codec.decode_client(msgpack.packb(step["send"]))
