"""Whose the things outside are: one copy of defocus at a time owns all that a user has of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.runtime import private
from daemon.setup.places import ROOT

if TYPE_CHECKING:
    from daemon.setup.places import Places

FILE_NAME = "installed.json"
OLD_FOLDERS = "made-folders.json"
"""Where earlier versions noted the folders."""


@dataclass(frozen=True)
class Ledger:
    """What is noted in the user's settings.

    Attributes
    ----------
    owner
        The folder of the copy that put everything outside; None: nobody has yet.
    plugins
        Plug-in folders.
    made
        Folders that were not there before.
    """

    owner: Path | None = None
    plugins: tuple[Path, ...] = ()
    made: tuple[Path, ...] = ()

    @classmethod
    def read(cls, places: Places) -> Ledger:
        """Read it; what earlier versions noted counts."""
        config = places.config()
        noted = _json(config / FILE_NAME)
        if not isinstance(noted, dict):
            old = _json(config / OLD_FOLDERS)
            return cls(made=_paths(old))
        owner = noted.get("owner")
        return cls(
            Path(owner) if isinstance(owner, str) else None,
            _paths(noted.get("plugins")),
            _paths(noted.get("made")),
        )

    def write(self, places: Places) -> None:
        """Write it in one step."""
        config = private.folder(places.config())
        text = {
            "owner": None if self.owner is None else str(self.owner),
            "plugins": list(map(str, self.plugins)),
            "made": list(map(str, self.made)),
        }
        fresh = config / f".{FILE_NAME}"
        fresh.write_text(json.dumps(text, indent=1), encoding="utf-8")
        fresh.replace(config / FILE_NAME)
        (config / OLD_FOLDERS).unlink(missing_ok=True)

    def other_owner(self) -> Path | None:
        """Return the copy that owns all this when it is another one that still is there."""
        if self.owner is None or self.owner == ROOT or not (self.owner / "daemon").is_dir():
            return None
        return self.owner


def missing_folders(paths: list[Path]) -> list[Path]:
    """List the folders around these that are not there yet."""
    found = [folder for path in paths for folder in path.parents if not folder.exists()]
    return list(dict.fromkeys(found))


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _paths(found: Any) -> tuple[Path, ...]:
    return tuple(map(Path, filter(_is_text, found))) if isinstance(found, list) else ()


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
