"""Which program a plug-in runs in."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.light import program
from daemon.light.facts import VERSION

if TYPE_CHECKING:
    from daemon.light.discovery import Connection


@dataclass(frozen=True)
class Editor:
    """The editor, and where its plug-in lies.

    Parameters
    ----------
    name
        As its users know it.
    folder
        The plug-in's own folder: set-up leaves `launcher.json` there, a running daemon
        `connection.json`.
    """

    name: str
    folder: Path

    def is_outdated(self, place: Connection) -> bool:
        """Whether a daemon runs another program than the one this plug-in came with."""
        own = self._program()
        return bool(own) and place.program != own

    def _program(self) -> str:
        """Return the digest of the program that this plug-in would start; empty: it cannot be seen.

        In a sandbox (Flatpak) the copy that the plug-in came from lies out of sight.
        """
        try:
            record = json.loads((self.folder / "launcher.json").read_text(encoding="utf-8"))
            return program.digest(Path(record["root"]))
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    @property
    def sandboxed(self) -> bool:
        """Whether programs of the system are out of the editor's sight (Flatpak)."""
        return Path("/.flatpak-info").exists()

    @property
    def client(self) -> str:
        """What the daemon's log calls this client."""
        python = ".".join(map(str, sys.version_info[:2]))
        return f"{self.name} plug-in {VERSION} Python {python}"
