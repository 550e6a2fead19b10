"""Locks of layers: taken off while the plug-in writes, put back afterwards.

GIMP ends a plug-in that changes a locked layer, also when the lock is on a group around it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gimp_plugin.bindings import Gimp

KINDS = ("content", "position", "visibility")


class Lifted:
    """Locks that are off for now, by the item they belong to."""

    def __init__(self) -> None:
        self._locks: list[tuple[Any, str]] = []

    def lift(self, item: Gimp.Item) -> None:
        """Take the locks off an item and off all groups around it."""
        each: Any = item
        while each is not None:
            for kind in KINDS:
                if getattr(each, f"get_lock_{kind}")():
                    getattr(each, f"set_lock_{kind}")(False)
                    self._locks.append((each, kind))
            each = each.get_parent()

    def hand_over(self, old: Gimp.Item, new: Gimp.Item) -> None:
        """Let another item have the locks of one that it replaces."""
        gone = old.get_id()
        self._locks = [(new if i.get_id() == gone else i, kind) for i, kind in self._locks]

    def put_back(self) -> None:
        """Lock again what was locked, the groups around first."""
        for item, kind in reversed(self._locks):
            getattr(item, f"set_lock_{kind}")(True)


@contextmanager
def lifted(*items: Gimp.Item) -> Iterator[Lifted]:
    """Take the locks off items, and off all groups around them, for a while.

    Both are steps to undo: within an undo group, Ctrl+Z brings back what was locked.
    """
    locks = Lifted()
    try:
        for item in items:
            locks.lift(item)
        yield locks
    finally:
        locks.put_back()
