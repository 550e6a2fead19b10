"""A daemon's answers with one thing wrong: what no client may die of.

A conversation about one request is played to the client, with one of its messages spoilt.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgpack

if TYPE_CHECKING:
    import random

WIDTH, HEIGHT = 8, 6
FRAMES = [bytes(WIDTH * HEIGHT), bytes(WIDTH * HEIGHT), bytes(3 * WIDTH * HEIGHT)]
WRONG = [
    *(None, True, -1, 0, 1.5, 2**63, -(2**63), 1e308, float("nan"), float("inf")),
    *("", "x", "é" * 3000, b"bytes", [], [[]], [None], {}, {"a": {}}, [{}], ["image", "image"]),
]
LIMITS = {"max_header_bytes": 65536, "max_pixels": 120_000_000, "silence_s": 5.0}
STATE = {
    "server": "1",
    "pid": 1,
    "uptime_s": 1.0,
    "stopping": False,
    "sessions": 1,
    "queued": 0,
    "running": None,
    "finished": {"result": 1},
    "worker": "idle",
    "worker_pid": 2,
    "worker_restarts": 0,
    "rss_bytes": 1,
    "worker_rss_bytes": 1,
    "device_bytes": 0,
    "cache": {"image": {"entries": 1, "nbytes": 5, "hits": 0, "misses": 0}},
    "cache_limit_bytes": 1,
    "devices": ["cpu"],
    "models": [{"name": "a", "task": "matte", "version": "", "sha256": "", "licence": ""}],
}


@dataclass
class Answer:
    """One message before it is packed."""

    header: Any
    frames: list[bytes] = field(default_factory=list)
    spoilt: bytes | None = None

    def packed(self) -> list[bytes]:
        """Return its frames."""
        head = msgpack.packb(self.header) if self.spoilt is None else self.spoilt
        return [head, *self.frames]


def hello() -> Answer:
    """Return the welcome."""
    fields = {"protocol": 1, "minor": 1, "server": "1", "session": "s", "limits": dict(LIMITS)}
    return Answer({"type": "welcome", **fields, "devices": [], "models": []})


def state() -> Answer:
    """Return how the daemon is."""
    return Answer({"type": "state", **copy.deepcopy(STATE)})


def conversation(job: str) -> list[Answer]:
    """Return the answer to a `render` for an 8 x 6 RGB u8 picture, all three planes wanted."""
    planes = [
        {
            "name": name,
            "width": WIDTH,
            "height": HEIGHT,
            "channels": 3 if name == "composite" else 1,
            "dtype": "u8",
            "transfer": "srgb" if name == "composite" else "linear",
        }
        for name in ("matte", "depth", "composite")
    ]
    result = {"planes": planes, "focus": 0.5, "notes": ["a"], "cached": ["image"], "device": "cpu"}
    return [
        Answer({"type": "accepted", "id": job, "queue_position": 0}),
        Answer({"type": "need", "id": job, "planes": ["image"]}),
        Answer({"type": "progress", "id": job, "stage": "matte", "fraction": 0.5}),
        Answer({"type": "pong", "nonce": 0}),
        Answer({"type": "result", "id": job, **result, "timing": {"matte": 0.1}}, list(FRAMES)),
    ]


def refusal(job: str) -> list[Answer]:
    """Return the same with an error at the end."""
    words = {"code": "busy", "message": "m", "hint": "h", "retryable": True}
    return [*conversation(job)[:3], Answer({"type": "error", "id": job, **words})]


def spoil(answers: list[Answer], dice: random.Random) -> str:
    """Spoil one of the answers in place; says how."""
    answer = dice.choice(answers)
    kind = dice.choice(list(KINDS))
    KINDS[kind](answer, dice)
    return f"{kind}: {str(answer)[:300]}"


def _truncate(answer: Answer, dice: random.Random) -> None:
    whole = answer.packed()[0]
    answer.spoilt = whole[: dice.randrange(len(whole))]


def _flip(answer: Answer, dice: random.Random) -> None:
    whole = bytearray(answer.packed()[0])
    whole[dice.randrange(len(whole))] = dice.randrange(256)
    answer.spoilt = bytes(whole)


def _noise(answer: Answer, dice: random.Random) -> None:
    answer.spoilt = dice.randbytes(dice.randrange(60))


def _replace(answer: Answer, dice: random.Random) -> None:
    place, key = dice.choice(list(_places(answer.header)))
    place[key] = dice.choice(WRONG)


def _remove(answer: Answer, dice: random.Random) -> None:
    place, key = dice.choice(list(_places(answer.header)))
    del place[key]


def _no_map(answer: Answer, dice: random.Random) -> None:
    answer.header = dice.choice(WRONG)


def _surplus(answer: Answer, dice: random.Random) -> None:
    answer.frames.append(dice.randbytes(dice.randrange(40)))


def _missing(answer: Answer, dice: random.Random) -> None:
    if answer.frames:
        del answer.frames[dice.randrange(len(answer.frames))]
    else:
        answer.spoilt = b""


def _resized(answer: Answer, dice: random.Random) -> None:
    if answer.frames:
        answer.frames[dice.randrange(len(answer.frames))] = bytes(dice.randrange(200))
    else:
        answer.frames = [b""]


KINDS = {
    "truncated header": _truncate,
    "a byte of the header changed": _flip,
    "noise for a header": _noise,
    "a field replaced": _replace,
    "a field removed": _remove,
    "a header that is no map": _no_map,
    "a surplus frame": _surplus,
    "a missing frame": _missing,
    "a frame of another length": _resized,
}


def _places(value: Any) -> Any:
    """Yield every (container, key) inside a header."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)
