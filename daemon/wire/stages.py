"""The stages of a request, as `progress` names them, and what they are to its user."""

from __future__ import annotations

STAGES = {
    "queued": "waiting for another picture",
    "starting": "loading the networks",
    "pixels": "handing the photo over",
    "check": "checking the photo",
    "decode": "reading the photo",
    "matte": "finding the people",
    "depth": "estimating the depth",
    "render": "blurring",
    "encode": "packing the result",
    "send": "fetching the result",
}
