"""What the user has set for the daemon, through `defocus daemon settings` and `service`."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from daemon.light.errors import NoDaemon
from daemon.light.launch import ask
from daemon.light.words import tr

if TYPE_CHECKING:
    from daemon.light.editor import Editor


@dataclass(frozen=True)
class Settings:
    """What holds however the daemon is started.

    Parameters
    ----------
    device
        `auto`, `cpu` or another name that the command line takes.
    cache_mb
        Most MiB of what it remembers of photos.
    idle
        Seconds without work after which networks and their memory are freed; inf: never.
    at_login
        Whether it starts with the user's session.
    """

    device: str
    cache_mb: int
    idle: float
    at_login: bool

    @classmethod
    def read(cls, editor: Editor) -> Settings:
        """Ask what holds.

        Raises
        ------
        NoDaemon
            The program cannot be run, or cannot read its settings.
        """
        answer = ask(editor, "settings", "--json")
        try:
            said = json.loads(answer)
            return cls(
                str(said["device"]),
                int(said["cache_mb"]),
                float(said["idle"]),
                bool(said["at_login"]),
            )
        except (ValueError, KeyError, TypeError):
            raise NoDaemon(
                tr("It did not tell its settings: {answer}").format(answer=repr(answer[:80]))
            ) from None

    def write(self, editor: Editor) -> None:
        """Set what differs from what holds; a daemon that runs keeps what it was started with.

        Raises
        ------
        NoDaemon
            It cannot be set; what comes first (device, memory, time, start at log-in) holds.
        """
        before = Settings.read(editor)
        if replace(before, at_login=self.at_login) != self:
            ask(
                editor,
                "settings",
                f"--device={self.device}",
                f"--cache-mb={self.cache_mb}",
                f"--idle={self.idle:g}",
            )
        if self.at_login != before.at_login:
            ask(editor, "service", "install" if self.at_login else "remove")
