"""The daemon's work on a thread; what comes of it is told in Qt's own."""

from __future__ import annotations

import threading
import traceback
from typing import TYPE_CHECKING, Any

from daemon.light.connect import connect
from daemon.light.errors import Cancelled, PluginError
from daemon.light.words import tr
from krita_plugin.editor import KRITA
from krita_plugin.qt import QtCore, Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.light.client import Report
    from daemon.light.request import LayerRequest, Reply

    Task = Callable[[Report, threading.Event], Any]

RUNNING: set[Job] = set()
"""Kept from being thrown away while their threads would still tell them something."""


class Job(QtCore.QObject):
    """One task. Exactly one of `done`, `failed` and `cancelled` is emitted, in Qt's thread.

    Parameters
    ----------
    task
        Called on a thread of its own with a report (stage, fraction) and an event that is set once
        it is to end. Touches nothing of Krita.
    """

    progressed = Signal(str, float)
    done = Signal(object)
    failed = Signal(str)
    cancelled = Signal()

    def __init__(self, task: Task) -> None:
        super().__init__()
        self._task = task
        self._stop = threading.Event()
        for ended in (self.done, self.failed, self.cancelled):
            ended.connect(self._forget)

    def start(self) -> None:
        """Begin."""
        RUNNING.add(self)
        threading.Thread(target=self._run, name="bokeh job", daemon=True).start()

    def cancel(self) -> None:
        """End it soon; the daemon is told."""
        self._stop.set()

    def _run(self) -> None:
        try:
            result = self._task(self.progressed.emit, self._stop)
        except Cancelled:
            self.cancelled.emit()
        except PluginError as error:
            self.failed.emit(str(error))
        except Exception as error:  # noqa: BLE001 - else nobody would learn of it
            self.failed.emit(crashed(error))
        else:
            # what was asked to end in the last moment has ended
            _ = self.cancelled.emit() if self._stop.is_set() else self.done.emit(result)

    def _forget(self, *_: object) -> None:
        RUNNING.discard(self)


def crashed(error: Exception) -> str:
    """Say what nobody foresaw; the details go to the terminal."""
    traceback.print_exception(error)
    said = tr(
        "Bokeh failed: {error}. The picture is unchanged. Start Krita in a terminal to see the "
        "details, and please report them."
    )
    return said.format(error=repr(error))


def compute(request: LayerRequest, report: Report, stop: threading.Event) -> Reply:
    """Have the daemon compute one request, starting it when it does not run; on any thread.

    Raises
    ------
    PluginError, Cancelled
        As `connect` and `Client.render`.
    """
    client = connect(KRITA, report, stop)
    try:
        return client.render(request, report, stop)
    finally:
        client.close()
