"""Says each step before it is done, and only says it in a dry run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Steps:
    """Announces each step; does it unless this is a dry run.

    Parameters
    ----------
    dry
        Whether nothing is to be done.
    """

    dry: bool = False

    def say(self, text: str) -> None:
        """Tell something that is no step."""
        print(text, flush=True)

    def do(self, what: str, action: Callable[..., object], *args: object) -> None:
        """Announce and run an action."""
        self.say(("would: " if self.dry else "-- ") + what)
        if not self.dry:
            action(*args)
