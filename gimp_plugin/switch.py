"""Starts and stops the daemon at the user's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.light import status
from daemon.light.connect import connect
from daemon.light.words import tr
from gimp_plugin import background
from gimp_plugin.editor import GIMP

if TYPE_CHECKING:
    from daemon.light.client import Report


def act(action: str) -> None:
    """Do `start` or `stop`; `status` does nothing.

    Raises
    ------
    PluginError
        It cannot be done.
    """
    if action == "start":
        background.wait_for(_start, tr("Starting the Bokeh daemon"))
    elif action == "stop":
        status.stop(GIMP)


def _start(report: Report) -> None:
    connect(GIMP, report).close()
