"""Recorded conversations: read, replay against a real daemon, record again.

A file holds one step per line: `{"on": "work", "send": HEADER, "frames": [BASE64...]}` or
`{"on": "work", "receive": HEADER, "frames": [...]}`. In a header `"$token"` stands for the daemon's
token and `"..."` for any value. `progress` and `pong` that no step expects are skipped.
"""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack

from daemon.faults.raw import Raw

ANY = "..."
VOLATILE = {
    *("server", "timing", "uptime_s", "pid", "worker_pid", "rss_bytes", "worker_rss_bytes"),
    *("worker", "sessions", "devices", "models", "cache_limit_bytes"),
}
UNASKED = ("progress", "pong")


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def replay(where, steps):
    """Do the steps; gives them as they really went, volatile values replaced by `...`."""
    went = []
    with ExitStack() as stack:
        raws = {}
        for step in steps:
            name = step["on"]
            if name not in raws:
                raws[name] = stack.enter_context(Raw(where, name))
            if "send" in step:
                header = {k: where.token if v == "$token" else v for k, v in step["send"].items()}
                raws[name].send(header, [base64.b64decode(f) for f in step.get("frames", [])])
                went.append(step)
            else:
                went.append({"on": name, **receive(raws[name], step["receive"])})
    return went


def receive(raw, expected):
    while True:
        header, frames = raw.receive(10)
        same = header["type"] == expected["type"]
        if header["type"] not in UNASKED or (same and header.get("stage") == expected.get("stage")):
            break
    header = {k: ANY if k in VOLATILE else v for k, v in header.items()}
    if header["type"] == "progress":
        header["fraction"] = ANY
    step = {"receive": header}
    if frames:
        step["frames"] = [base64.b64encode(frame).decode() for frame in frames]
    return step


def write(path, steps):
    path.write_text("".join(json.dumps(step) + "\n" for step in steps))
