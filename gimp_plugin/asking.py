"""Previews asked for on a thread and told on GIMP's main loop, as long as the dialog is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from daemon.light.gathering import GATHER_MS, Gathering
from daemon.light.preview_thread import PreviewThread
from daemon.light.stages import in_words
from gimp_plugin.bindings import GLib
from gimp_plugin.editor import GIMP

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daemon.light.client import Report
    from daemon.light.request import LayerRequest, Reply


class Owner(Protocol):
    """Who asks."""

    def wishes(self) -> Sequence[LayerRequest]:
        """Return what to ask for now, from rough to fine."""

    def settle(self) -> None:
        """Take what is set as a step: nothing more has changed for a moment."""

    def show(self, reply: Reply) -> None:
        """Take what came back."""

    def failed(self, message: str) -> None:
        """Take the reason why nothing came back."""

    def say(self, text: str) -> None:
        """Tell how far it is."""


class Asking:
    """Asks for previews, the last wish counts.

    Parameters
    ----------
    owner
        Who asks, and is told.
    """

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._timer = self._rest = 0
        self._gathering = Gathering()
        self._open = True
        self._thread = PreviewThread(
            GIMP,
            lambda reply: self._later(owner.show, reply),
            lambda message: self._later(owner.failed, message),
            self._on_progress,
        )

    def soon(self) -> None:
        """Ask in a moment, once for all that changes until then: a drag is followed as it goes."""
        if not self._timer:
            self._timer = GLib.timeout_add(self._gathering.wait_ms(), self._ask)
        if self._rest:
            GLib.source_remove(self._rest)
        self._rest = GLib.timeout_add(GATHER_MS, self._settle)

    @property
    def is_behind(self) -> bool:
        """Whether what was shown last is of other settings than now."""
        return bool(self._timer) or not self._thread.up_to_date

    def now(self) -> None:
        """Ask at once."""
        self._gathering.asked()
        self._thread.ask(*self._owner.wishes())

    def leave(self) -> None:
        """Tell nothing any more: the widgets are gone."""
        self._open = False
        for timer in filter(None, (self._timer, self._rest)):
            GLib.source_remove(timer)

    def cancel(self) -> None:
        """Stop what is being computed."""
        self._thread.close()

    def finish(self, request: LayerRequest, report: Report) -> Reply:
        """Have the final result computed, on any thread; raises as `PreviewThread.finish`."""
        return self._thread.finish(request, report)

    def _ask(self) -> bool:
        self._timer = 0
        self.now()
        return False

    def _settle(self) -> bool:
        self._rest = 0
        self._owner.settle()
        return False

    def _on_progress(self, stage: str, fraction: float) -> None:
        self._later(self._owner.say, f"{in_words(stage).capitalize()}... {fraction:.0%}")

    def _later(self, tell: Callable[[Any], None], what: Any) -> None:
        def told() -> bool:
            if self._open:
                tell(what)
            return False

        GLib.idle_add(told)
