"""Set up before any test module imports torch."""

from __future__ import annotations

import gc
import os

# torch's threads spin while they wait, which makes tests on a busy machine 20 times as slow
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def pytest_collection_finish():
    """Leave what was imported out of every later collection: each took half a second of it."""
    gc.collect()
    gc.freeze()
