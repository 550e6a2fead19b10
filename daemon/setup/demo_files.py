"""The demo's pictures: known again by their content, so that what was changed since is kept."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from daemon.setup.places import present

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NAMES = tuple(f"{name}.png" for name in ("mask", "depth", "composite", "before-after"))
RECORD = ".made.json"
"""Lies beside the pictures: the SHA-256 of each."""
UNFINISHED = ".defocus-"
"""How the folder of a demo that is under way begins."""


def changed(folder: Path) -> list[Path]:
    """List the files of these names that are not as the demo has made them."""
    made = _made(folder)
    paths = [folder / name for name in NAMES]
    return [path for path in paths if present(path) and _hash(path) not in made]


def remember(folder: Path, fresh: Iterable[Path]) -> None:
    """Note pictures that will take their places; what they replace stays known until then."""
    there = _made(folder).intersection(_hash(folder / name) for name in NAMES)
    known = sorted(there | {_hash(path) for path in fresh})
    (folder / RECORD).write_text(json.dumps({"sha256": known}), encoding="utf-8")


def _made(folder: Path) -> set[str]:
    try:
        return set(json.loads((folder / RECORD).read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _hash(path: Path) -> str:
    """Return a file's SHA-256; empty for a link and for what cannot be read: neither is ours."""
    try:
        return "" if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
