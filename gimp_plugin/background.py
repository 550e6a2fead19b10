"""Runs the daemon's work on a thread while GIMP's main loop goes on."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from daemon.light.connect import connect
from daemon.light.stages import Pace
from gimp_plugin.bindings import Gimp, GLib
from gimp_plugin.editor import GIMP

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.light.client import Report
    from daemon.light.request import LayerRequest, Reply

T = TypeVar("T")
SHOW_MS = 100


def wait_for(task: Callable[[Report], T], title: str) -> T:
    """Run `task` on a thread, show its progress in GIMP, give its result or raise its error.

    libgimp is called on this thread only. GIMP's own Cancel ends the process, and with it the
    connection: the daemon then drops the job.
    """
    loop = GLib.MainLoop()
    done: Future[T] = Future()
    told: list[tuple[str, float]] = [(title, 0.0)]
    pace = Pace()

    def report(stage: str, fraction: float) -> None:
        told[0] = stage, fraction

    def work() -> None:
        try:
            done.set_result(task(report))
        except BaseException as error:  # noqa: BLE001 - raised again on the main thread
            done.set_exception(error)
        GLib.idle_add(loop.quit)

    def show() -> bool:
        stage, fraction = told[0]
        Gimp.progress_set_text(f"Bokeh: {pace.told(stage, fraction, time.monotonic())}")
        Gimp.progress_update(fraction)
        return True

    Gimp.progress_init(title)
    timer = GLib.timeout_add(SHOW_MS, show)
    threading.Thread(target=work, daemon=True).start()
    loop.run()
    GLib.source_remove(timer)
    Gimp.progress_end()
    return done.result()


def compute(request: LayerRequest, title: str = "Bokeh") -> Reply:
    """Have the daemon compute one request, starting it when it does not run."""

    def task(report: Report) -> Reply:
        client = connect(GIMP, report)
        try:
            return client.render(request, report)
        finally:
            client.close()

    return wait_for(task, title)
