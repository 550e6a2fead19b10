"""The first change is asked for at once, those that follow are gathered."""

from __future__ import annotations

import pytest

from daemon.light.gathering import AT_ONCE_MS, GATHER_MS, Gathering


@pytest.mark.parametrize(
    ("since_s", "wait_ms"), [(None, AT_ONCE_MS), (0.0, GATHER_MS), (0.03, 50), (5.0, AT_ONCE_MS)]
)
def test_only_changes_that_follow_soon_are_gathered(since_s, wait_ms):
    now = 100.0
    gathering = Gathering(lambda: now)
    if since_s is not None:
        gathering.asked()
        now += since_s
    assert gathering.wait_ms() == wait_ms
