"""Settings and Status: what the daemon does, and a hand on its switch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp  # noqa: E402

from gimp_plugin import reach, status, work  # noqa: E402

if TYPE_CHECKING:
    from gimp_plugin.client import Report


def run(procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, _data: Any) -> Gimp.ValueArray:
    """Show the state in a window, or do the action and give the state as JSON."""
    if config.get_property("run-mode") == Gimp.RunMode.INTERACTIVE:
        from gimp_plugin import status_window  # noqa: PLC0415 - Gtk only when a window opens

        status_window.run()
    else:
        act(config.get_property("action"))
    values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)
    values.remove(1)
    values.insert(1, json.dumps(status.state()))
    return values


def act(action: str) -> None:
    """Start or stop the daemon; `status` does nothing."""
    if action == "start":
        work.wait_for(_start, "Starting the Bokeh daemon")
    elif action == "stop":
        status.stop()


def _start(report: Report) -> None:
    reach.client(report).close()
