"""Everything that can go wrong between GIMP and the daemon, with the next step for the user.

PluginError         text is what GIMP shows: what is wrong, then what to do
|- NoDaemon         not running and could not be started
|- LinkLost         the daemon went away in the middle
`- Refused          the daemon answered `error`; carries its code
Cancelled           the user asked to stop; nothing to show
"""

from __future__ import annotations


class PluginError(Exception):
    """Base of the errors shown to the user; the image is as it was."""


class NoDaemon(PluginError):
    """No daemon answers and none could be started."""


class LinkLost(PluginError):
    """The daemon stopped answering before the result was there."""


class Refused(PluginError):
    """The daemon answered a request with a typed error.

    Parameters
    ----------
    code
        One of the protocol's closed list.
    message, hint
        One line each: what is wrong, what to do.
    retryable
        The same request may succeed later.
    """

    def __init__(self, code: str, message: str, hint: str = "", retryable: bool = False) -> None:
        super().__init__(f"{_sentence(message)} {hint}".strip())
        self.code = code
        self.retryable = retryable


class Cancelled(Exception):
    """The user cancelled."""


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
