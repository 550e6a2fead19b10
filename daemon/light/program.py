"""Which program a daemon runs: a digest of its files, since a version can be the same twice."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    "bokeh_core",
    *(f"daemon/{wing}" for wing in ("light", "runtime", "server", "wire", "worker")),
)
KINDS = {".py", ".json"}
"""Code, and the records of the weights, which hold the weights' own digests."""


@functools.lru_cache
def digest(root: Path = ROOT) -> str:
    """Return the digest of what a daemon of this copy runs; empty when the copy cannot be seen.

    It is that of the first call: of the files that this process itself was started from.
    """
    if not all((root / part).is_dir() for part in PARTS):
        return ""
    found = hashlib.sha256()
    paths = [path for part in PARTS for path in (root / part).rglob("*") if path.suffix in KINDS]
    for path in sorted(paths):
        found.update(path.relative_to(root).as_posix().encode() + b"\0")
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()
