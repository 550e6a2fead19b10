"""Settings and Status: what the daemon does, and a hand on its switch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from daemon.light import status
from gimp_plugin import switch
from gimp_plugin.editor import GIMP

if TYPE_CHECKING:
    from gimp_plugin.bindings import Gimp
    from gimp_plugin.call import Call


def run(call: Call) -> Gimp.ValueArray:
    """Show the state in a window, or do the action and give the state as JSON."""
    if call.interactive:
        from gimp_plugin import status_window  # noqa: PLC0415 - Gtk only when a window opens

        status_window.run()
    else:
        switch.act(call.config.get_property("action"))
    return call.done(json.dumps(status.state(GIMP).record()))
