"""What the daemon is doing, in the user's words."""

from __future__ import annotations

_WORDS = {
    "queued": "waiting for another picture",
    "starting": "loading the networks",
    "pixels": "handing the photo over",
    "matte": "finding the people",
    "depth": "estimating the depth",
    "render": "blurring",
    "send": "fetching the result",
}


def in_words(stage: str) -> str:
    """Say a stage of the protocol's `progress`; one that is not known as it is."""
    return _WORDS.get(stage, stage)
