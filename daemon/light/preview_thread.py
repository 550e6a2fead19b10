"""Computes previews on a thread: the latest wish counts, and an old reply never comes late."""

from __future__ import annotations

import threading
import traceback
from typing import TYPE_CHECKING

from daemon.light.connect import connect
from daemon.light.errors import Cancelled, DaemonLost, DaemonRefused, PluginError
from daemon.light.latest import Latest, Taken
from daemon.light.words import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daemon.light.client import Client, Report
    from daemon.light.editor import Editor
    from daemon.light.request import LayerRequest, Reply


class PreviewThread:
    """The thread that asks the daemon for previews; no failure ends it.

    Parameters
    ----------
    editor
        Who asks.
    show
        Called on this thread with each reply that is still current.
    complain
        Called on this thread with the text of a failure.
    report
        Called on this thread with stage and fraction.
    """

    def __init__(
        self,
        editor: Editor,
        show: Callable[[Reply], None],
        complain: Callable[[str], None],
        report: Report,
    ) -> None:
        self._editor = editor
        self._show, self._complain, self._report = show, complain, report
        self._box: Latest[Sequence[LayerRequest]] = Latest()
        self._client: Client | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bokeh previews", daemon=True)
        self._thread.start()

    def ask(self, *requests: LayerRequest) -> None:
        """Ask for a preview instead of those asked for before; several: from rough to fine."""
        self._box.put(requests)

    @property
    def up_to_date(self) -> bool:
        """Whether the reply shown last is of what was asked for last."""
        return self._box.up_to_date

    def finish(
        self, request: LayerRequest, report: Report, stop: threading.Event | None = None
    ) -> Reply:
        """Compute the final result on the same connection; no preview can be asked for any more.

        A preview that is being computed is stopped, but for the first, whose analysis is needed.

        Raises
        ------
        PluginError, Cancelled
            As `connect` and `Client.render`.
        """
        self._report = report
        self._box.close(stop=self._box.any_shown)
        self._thread.join()
        try:
            return self._connected(stop).render(request, report, stop)
        finally:
            self._hang_up()

    def close(self) -> None:
        """Cancel what runs and hang up."""
        self._stop.set()
        self._box.close(stop=True)
        self._thread.join(2.0)
        self._hang_up()

    def _run(self) -> None:
        while (taken := self._box.take()) is not None:
            self._fulfil(taken)

    def _fulfil(self, taken: Taken[Sequence[LayerRequest]]) -> None:
        try:
            try:
                self._render(taken)
            except DaemonLost:  # once it is started anew without a word
                self._hang_up()
                self._render(taken)
        except Cancelled:  # there is a newer one
            pass
        except Exception as error:  # noqa: BLE001 - a dead thread would answer no wish, in silence
            self._fail(taken.generation, error)

    def _render(self, taken: Taken[Sequence[LayerRequest]]) -> None:
        for request in taken.wish:
            reply = self._connected(self._stop).render(request, self._tell, taken.stop)
            if self._box.accept(taken.generation):
                self._show(reply)

    def _fail(self, generation: int, error: Exception) -> None:
        if not isinstance(error, DaemonRefused):  # nobody knows what the connection is good for
            self._hang_up()
        text = str(error)
        if not isinstance(error, PluginError):
            traceback.print_exception(error)
            text = tr(
                "The preview failed: {error}. Change a setting to try again; start {editor} in a "
                "terminal to see the details."
            ).format(error=repr(error), editor=self._editor.name)
        try:
            if self._box.accept(generation):
                self._complain(text)
        except Exception:  # noqa: BLE001 - as above
            traceback.print_exc()

    def _tell(self, stage: str, fraction: float) -> None:
        self._report(stage, fraction)

    def _connected(self, stop: threading.Event | None) -> Client:
        if self._client is None:
            self._client = connect(self._editor, self._tell, stop)
        return self._client

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
