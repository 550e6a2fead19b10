"""Small pictures of what a point of light becomes: for the lists of presets.

They are drawn by the renderer, see `tests/light/discs.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.light.parameters import PRESETS

if TYPE_CHECKING:
    from collections.abc import Mapping

SIDE = 24
"""Pixels of a picture each way, on a screen without magnification."""
DISCS = Path(__file__).resolve().parent / "pictures"


def disc(look: Mapping[str, Any]) -> Path:
    """Return the picture of a look: grey, PNG.

    A ready-made one has its own, others that of their aperture's shape.
    """
    for name, ready in PRESETS.items():
        if ready and ready == look:
            return DISCS / f"{name}.png"
    name = "paper" if look["style"] == "paper" else look["aperture"]
    return DISCS / f"{name}.png"
