"""Everything that can go wrong between an editor and the daemon, with the next step for the user.

PluginError         text is what the editor shows: what is wrong, then what to do
|- NoDaemon         not running and could not be started
|- DaemonLost       the daemon went away in the middle
|- DaemonRefused    the daemon answered `error`; carries its code
`- ProtocolError    what it said cannot be understood
Cancelled           the user asked to stop; nothing to show
"""

from __future__ import annotations

from daemon.light.words import tr


class PluginError(Exception):
    """Base of the errors shown to the user; the image is as it was."""


class NoDaemon(PluginError):
    """No daemon answers and none could be started."""


class DaemonLost(PluginError):
    """The daemon stopped answering before the result was there."""


class DaemonRefused(PluginError):
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


class ProtocolError(PluginError):
    """An answer cannot be understood: what answers is no daemon, or one of another version.

    Parameters
    ----------
    what
        What is wrong with it, for whoever has to find the cause.
    """

    def __init__(self, what: str) -> None:
        super().__init__(
            tr(
                "The Bokeh daemon gave an answer that makes no sense ({what}). The image is "
                "unchanged. Try again; if it stays, run `python3 install.py` in the defocus folder "
                "and restart this program."
            ).format(what=what)
        )


class Cancelled(Exception):
    """The user cancelled."""


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
