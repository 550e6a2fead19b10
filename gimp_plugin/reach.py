"""Gets a client connected, whatever it takes: a running daemon, or one started now."""

from __future__ import annotations

import time

from gimp_plugin import connection
from gimp_plugin.client import Client, Report, silent
from gimp_plugin.errors import LinkLost, NoDaemon

START_S = 40.0  # a cold start imports the libraries from disk


def client(report: Report = silent) -> Client:
    """Connect to the daemon, and start it first when nobody answers.

    Parameters
    ----------
    report
        Told that the daemon is being started.

    Raises
    ------
    NoDaemon
        None answers and none could be started; the text says what to do.
    Refused
        The daemon speaks another version.
    """
    found = _running()
    if found is not None:
        return found
    report("starting the daemon", 0.0)
    until = time.monotonic() + START_S
    with connection.launch() as check:
        while time.monotonic() < until:
            time.sleep(0.1)
            check()
            found = _running()
            if found is not None:
                return found
    raise NoDaemon(
        f"The Bokeh daemon was started but did not answer within {START_S:g} s. "
        "Run `defocus doctor` in a terminal: it says what is wrong."
    )


def _running() -> Client | None:
    for place in connection.known():
        try:
            return Client(place)
        except LinkLost:  # noqa: PERF203 - a stale file, or a daemon that is just going down
            continue
    return None
