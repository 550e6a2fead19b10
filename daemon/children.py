"""The environment of the processes that make up the daemon: it finds this package."""

from __future__ import annotations

import os
from pathlib import Path


def environment(**own: str) -> dict[str, str]:
    """Give this process's environment, made fit for a child, with the caller's `own` variables."""
    root = str(Path(__file__).resolve().parents[1])
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")])),
        **own,
    }
