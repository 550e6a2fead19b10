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

WORDS = {
    "too_large": "The picture is larger than the daemon takes. Use a smaller one.",
    "busy": "The daemon has too much to do, or is stopping. Try again in a moment.",
    "deadline": "It was not finished in the time given. Try again.",
    "out_of_memory": "There is not enough memory. Close other programs, or use a smaller picture.",
    "model_missing": "A network's weights are not on this computer. `defocus doctor` tells more.",
    "model_corrupt": "A network's weights are damaged. Install the program again.",
    "internal": "Something went wrong in the daemon. Try again.",
}
"""Code of an error -> what it says in other languages, before the daemon's own words."""


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
        One line each: what is wrong, what to do; in English.
    retryable
        The same request may succeed later.
    """

    def __init__(self, code: str, message: str, hint: str = "", retryable: bool = False) -> None:
        own, words = f"{_sentence(message)} {hint}".strip(), WORDS.get(code, "")
        translated = tr(words)
        super().__init__(own if translated == words else f"{translated} ({own})")
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
