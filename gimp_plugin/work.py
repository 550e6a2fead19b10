"""Runs the daemon's work on a thread while GIMP's main loop goes on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from gimp_plugin import reach
from gimp_plugin.bindings import Gimp, GLib
from gimp_plugin.stages import in_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from gimp_plugin.client import Job, Reply, Report

T = TypeVar("T")
SHOW_MS = 100


def wait_for(task: Callable[[Report], T], title: str) -> T:
    """Run `task` on a thread, show its progress in GIMP, give its result or raise its error.

    libgimp is called on this thread only. GIMP's own Cancel ends the process, and with it the
    connection: the daemon then drops the job.
    """
    loop = GLib.MainLoop()
    outcome: dict[str, Any] = {"stage": title, "fraction": 0.0}

    def report(stage: str, fraction: float) -> None:
        outcome.update(stage=stage, fraction=fraction)

    def work() -> None:
        try:
            outcome["result"] = task(report)
        except BaseException as error:  # noqa: BLE001 - raised again on the main thread
            outcome["error"] = error
        GLib.idle_add(loop.quit)

    def show() -> bool:
        Gimp.progress_set_text(f"Bokeh: {in_words(outcome['stage'])}")
        Gimp.progress_update(outcome["fraction"])
        return True

    Gimp.progress_init(title)
    timer = GLib.timeout_add(SHOW_MS, show)
    threading.Thread(target=work, daemon=True).start()
    loop.run()
    GLib.source_remove(timer)
    Gimp.progress_end()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["result"]


def compute(job: Job, title: str = "Bokeh") -> Reply:
    """Have the daemon do one job, starting it when it does not run."""

    def task(report: Report) -> Reply:
        client = reach.client(report)
        try:
            return client.render(job, report)
        finally:
            client.close()

    return wait_for(task, title)
