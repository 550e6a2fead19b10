"""What mypy is told of GIMP is what GIMP says of itself."""

from __future__ import annotations

import pytest

from tests.gimp import stubs
from tests.rootfs import UnavailableError


def test_the_stubs_are_as_written_from_gimps_introspection():
    try:
        written = stubs.written()
    except UnavailableError as reason:
        pytest.skip(f"no real GIMP here: {reason}")
    for place, text in written.items():
        assert place.read_text(encoding="utf-8") == text, "run `python -m tests.gimp.stubs`"
