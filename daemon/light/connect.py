"""Gets a client connected, whatever it takes: a running daemon, or one started now."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from daemon.light import discovery, launch
from daemon.light.client import Client, Report, silent
from daemon.light.errors import Cancelled, DaemonLost, DaemonRefused, NoDaemon
from daemon.light.words import tr

if TYPE_CHECKING:
    from daemon.light.editor import Editor

START_S = 40.0  # a cold start imports the libraries from disk
REPLACE_S = 300.0  # one of another version finishes its work first


def connect(editor: Editor, report: Report = silent, stop: threading.Event | None = None) -> Client:
    """Connect to the daemon, and start it first when nobody answers.

    Parameters
    ----------
    editor
        Who asks, and where its plug-in lies.
    report
        Told that the daemon is being started.
    stop
        Set by any thread to give up waiting; a daemon that is being started goes on.

    Raises
    ------
    NoDaemon
        None answers and none could be started; the text says what to do.
    DaemonRefused
        The daemon speaks another version.
    ProtocolError
        What answers is no daemon.
    Cancelled
        `stop` was set.
    """
    found = running(editor)
    if found is not None:
        return found
    stop = stop or threading.Event()
    old = any(map(editor.is_outdated, discovery.known(editor.folder)))
    report("replacing" if old else "launching", 0.0)
    patience_s = REPLACE_S if old else START_S
    until = time.monotonic() + patience_s
    refused: DaemonRefused | None = None
    with launch.launch(editor) as check:
        while time.monotonic() < until:
            if stop.wait(0.1):
                raise Cancelled
            check()
            try:
                found = running(editor)
            except DaemonRefused as fault:
                # its sockets are there before its file replaces that of a daemon that was killed
                refused = fault
                continue
            if found is not None:
                return found
    raise refused or NoDaemon(
        tr(
            "The Bokeh daemon was started but did not answer within {n} s. Run `defocus doctor` in "
            "a terminal: it says what is wrong."
        ).format(n=f"{patience_s:g}")
    )


def running(editor: Editor) -> Client | None:
    """Connect to a daemon that runs already; None when none answers that runs this program.

    Raises
    ------
    DaemonRefused, ProtocolError
        As of `connect`.
    """
    for place in discovery.known(editor.folder):
        if editor.is_outdated(place):
            continue  # `defocus daemon start` replaces it
        try:
            return Client(place, editor.client)
        except DaemonLost:
            continue
    return None
