"""A daemon of another version of the program is told apart, finishes its work, and makes room."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from daemon.client import launch
from daemon.client.client import Client, ConnectionLost, DaemonError

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.wire.discovery import Connection

LEAVE_S = 5.0
"""A daemon that has closed its sockets is gone by then."""


def retire(where: Connection, say: Callable[[str], None]) -> None:
    """Have a daemon finish what it has accepted, and wait for its end.

    One that does not understand us any more, or hangs, is ended by a signal.
    """
    say(launch.OUTDATED)
    try:
        with Client(where, "upgrade") as client:
            client.shutdown(drain=True)
            see_off(client, where)
    except (ConnectionLost, DaemonError):
        launch.stop_by_force(where)


def see_off(client: Client, where: Connection) -> None:
    """Wait for the end of a daemon that was told to stop.

    Raises
    ------
    ConnectionLost
        It hangs.
    """
    try:
        while True:  # as long as its last requests take
            client.ping()
            time.sleep(0.05)
    except ConnectionLost:
        until = time.monotonic() + LEAVE_S
        while where.alive:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
