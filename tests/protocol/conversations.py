"""Recorded conversations: replay against a real daemon, record again.

A file holds one step per line: `{"on": "work", "send": HEADER, "frames": [BASE64...]}` or
`{"on": "work", "receive": HEADER, "frames": [...]}`; `{"zeros": N}` is a frame of so many zero
bytes. In a header `"$token"` stands for the daemon's token and `"..."` for any value. How often
`progress` comes is not the same twice: those of the recording are there to be read.
"""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack

import numpy as np

from daemon.wire.stages import STAGES
from tests.reliability.raw import Raw

ANY = "..."
VOLATILE = {
    *("server", "timing", "uptime_s", "pid", "worker_pid", "rss_bytes", "worker_rss_bytes"),
    *("worker", "sessions", "devices", "models", "cache_limit_bytes", "device_bytes", "cache"),
    *("finished", "worker_restarts", "device"),
}
NEAR = 2
"""Codes of 255 by which a pixel may differ on another machine."""


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path, steps):
    path.write_text("".join(json.dumps(step) + "\n" for step in steps))


def record(where, script):
    """Have a conversation; `script` tells what is sent, if anything, and what is waited for."""
    went = []
    with ExitStack() as stack:
        raws = {}
        for name, header, frames, answers in script:
            raw = _connected(raws, stack, where, name)
            if header is not None:
                step = {"on": name, "send": header}
                went.append({**step, "frames": frames} if frames else step)
                raw.send(_with_token(header, where), list(map(_bytes, frames)))
            for wanted in answers:
                went.append({"on": name, **_received(raw)})
                while not _is(went[-1]["receive"], wanted):
                    went.append({"on": name, **_received(raw)})
    return went


def replay(where, steps):
    """Do the steps; gives the pairs of what was recorded and what came now, `progress` left out."""
    pairs = []
    with ExitStack() as stack:
        raws = {}
        for step, following in zip(steps, [*steps[1:], {}], strict=True):
            raw = _connected(raws, stack, where, step["on"])
            if "send" in following and _is(step.get("receive", {}), "progress"):
                while not _is(_received(raw)["receive"], "progress"):
                    pass  # what is sent next was sent when the work had begun
            elif "send" in step:
                frames = list(map(_bytes, step.get("frames", [])))
                raw.send(_with_token(step["send"], where), frames)
            elif step["receive"]["type"] != "progress":
                now = _received(raw)
                while now["receive"]["type"] == "progress":
                    assert now["receive"]["stage"] in STAGES
                    now = _received(raw)
                pairs.append((step, now))
    return pairs


def check(recorded, now):
    """Fail unless an answer is the recorded one, as far as two machines can give the same."""
    expected, header = recorded["receive"], now["receive"]
    assert header.keys() == expected.keys()
    for name, value in expected.items():
        if name == "focus" and value is not None:
            assert abs(header[name] - value) < 0.02
        elif name == "people":  # an outline is cut along codes that may differ
            assert len(header[name]) == len(value)
            for person, found in zip(value, header[name], strict=True):
                assert np.allclose(person["point"], found["point"], atol=0.05)
        else:
            assert header[name] == value, name
    for before, after in zip(recorded.get("frames", []), now.get("frames", []), strict=True):
        was, came = (
            np.frombuffer(_bytes(frame), np.uint8).astype(int) for frame in (before, after)
        )
        assert was.shape == came.shape
        far = np.quantile(np.abs(was - came), 0.99)
        # a network that sees more sees other things
        assert far <= NEAR, "if networks or renderer changed: python -m tests.protocol.scripts"


def _is(header, wanted):
    """Whether an answer is of a type; progress counts once the worker is at it."""
    at_work = header.get("stage") not in {"queued", "starting", "pixels"}
    return header.get("type") == wanted and at_work


def _connected(raws, stack, where, name):
    if name not in raws:
        raws[name] = stack.enter_context(Raw(where, name))
    return raws[name]


def _with_token(header, where):
    return {key: where.token if value == "$token" else value for key, value in header.items()}


def _bytes(frame):
    return bytes(frame["zeros"]) if isinstance(frame, dict) else base64.b64decode(frame)


def _received(raw):
    header, frames = raw.receive(60)
    while header["type"] == "pong" and not header["asked"]:
        header, frames = raw.receive(60)
    header = {k: ANY if k in VOLATILE else v for k, v in header.items()}
    for plane in header["planes"] if header["type"] == "result" else []:
        plane["digest"] = plane["digest"] and ANY
    step = {"receive": header}
    if frames:
        step["frames"] = [base64.b64encode(frame).decode() for frame in frames]
    return step
