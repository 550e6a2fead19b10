"""What can go wrong with a daemon, apart from Python's own.

DaemonError            the daemon answered `error`
NotRunning             there is none (a ConnectionError)
ConnectionLost         it went silent or away (a ConnectionError)
`- ProtocolError       its answer cannot be understood
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daemon.wire import protocol


class DaemonError(Exception):
    """The daemon's typed `error` answer.

    Attributes
    ----------
    code, message, hint, retryable, field, value, limit, allowed
        As in `daemon.wire.protocol.Error`.
    """

    def __init__(self, error: protocol.Error) -> None:
        super().__init__(error.message)
        self.code = error.code
        self.message = error.message
        self.hint = error.hint
        self.retryable = error.retryable
        self.field = error.field
        self.value = error.value
        self.limit = error.limit
        self.allowed = error.allowed


class NotRunning(ConnectionError):
    """There is no daemon, and none was to be started or it did not start."""


class ConnectionLost(ConnectionError):
    """The daemon went silent or away in the middle of a conversation."""


class ProtocolError(ConnectionLost):
    """An answer cannot be understood: what answers is no daemon, or one of another version.

    Parameters
    ----------
    what
        What is wrong with it.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"the daemon's answer makes no sense: {what}")
