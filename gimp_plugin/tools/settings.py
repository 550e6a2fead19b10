"""Settings and Status: what the daemon does, and a hand on its switch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gimp_plugin import reach, status, work

if TYPE_CHECKING:
    from gimp_plugin.bindings import Gimp
    from gimp_plugin.call import Call
    from gimp_plugin.client import Report


def run(call: Call) -> Gimp.ValueArray:
    """Show the state in a window, or do the action and give the state as JSON."""
    if call.interactive:
        from gimp_plugin import status_window  # noqa: PLC0415 - Gtk only when a window opens

        status_window.run()
    else:
        act(call.config.get_property("action"))
    return call.done(json.dumps(status.state()))


def act(action: str) -> None:
    """Start or stop the daemon; `status` does nothing."""
    if action == "start":
        work.wait_for(_start, "Starting the Bokeh daemon")
    elif action == "stop":
        status.stop()


def _start(report: Report) -> None:
    reach.client(report).close()
