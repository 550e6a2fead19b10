"""One line of the attack table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Succeeded(Exception):
    """The attack got what it wanted."""


@dataclass(frozen=True)
class Attack:
    """Something hostile, and what comes of it.

    Attributes
    ----------
    name
        Who does what.
    before
        What came of it when it was found.
    run
        Does it, on the loopback and in folders of its own, and ends by itself. Gives what came of
        it in a few words; raises `Succeeded` when it works.
    """

    name: str
    before: str
    run: Callable[[], str]


def expect(held: object, what: str) -> None:
    """Go on if a promise was held.

    Raises
    ------
    Succeeded
        It was not.
    """
    if not held:
        raise Succeeded(what)
