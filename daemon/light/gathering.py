"""When to ask for a preview: at once after a pause, seldom enough while a slider moves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

GATHER_MS = 80
"""A moving slider tells more often than that: what changes within it makes one wish."""
AT_ONCE_MS = 10
"""One choice may change several settings, one after the other."""


class Gathering:
    """Tells how long to gather changes until the next wish.

    Parameters
    ----------
    clock
        Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked: float | None = None

    def wait_ms(self) -> int:
        """Return the milliseconds to wait after a change that nothing waits for yet."""
        if self._asked is None:
            return AT_ONCE_MS
        return max(AT_ONCE_MS, round(GATHER_MS - 1000.0 * (self._clock() - self._asked)))

    def asked(self) -> None:
        """Take note that a wish was made now."""
        self._asked = self._clock()
