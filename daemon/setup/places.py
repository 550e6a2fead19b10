"""Where things lie: on each system, for one user, in one copy of defocus."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
"""This copy: a checkout, or the environment's folder of packages."""
TORCH_CACHE = "torchinductor_"
"""How torch calls its own folder in the temporary one, before the user's name."""

CONFIG_FILES = (
    "announce.json",
    "daemon.json",
    "installed.json",
    "launcher.json",
    "made-folders.json",
    *(f"keys/{name}.json" for name in ("allowed", "client", "daemon", "trusted")),
)
LOG_FILES = ("daemon.log", "daemon.log.[0-9]", "worker.log", "worker.log.[0-9]")
RUNTIME_FILES = (
    "connection.json",
    "daemon.lock",
    *(f"{name}.sock" for name in ("control", "work", "worker-*")),
)
CACHE_FILES = ("models", "gimp-rootfs-*", "krita-rootfs-*")


@dataclass(frozen=True)
class Folder:
    """A folder of a user, and what in it is ours; everything else in it stays."""

    path: Path
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class Places:
    """The folders of one user on one system (platformdirs' rules, without platformdirs).

    Parameters
    ----------
    system
        As `sys.platform`.
    home
        The user's home.
    variables
        The environment.
    """

    system: str = sys.platform
    home: Path = field(default_factory=Path.home)
    variables: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def config(self) -> Path:
        """Return the folder of defocus's own settings, as the daemon finds it."""
        return self._named("DEFOCUS_CONFIG_DIR") or self._usual_config()

    def models(self) -> Path:
        """Return the folder of the weights that the user has trained and named."""
        own = self._named("DEFOCUS_DATA_DIR")
        if own is not None:
            return own / "models"
        if self.system == "win32":
            data = self._variable("LOCALAPPDATA", self.home / "AppData" / "Local")
        elif self.system == "darwin":
            data = self.home / "Library" / "Application Support"
        else:
            data = self._variable("XDG_DATA_HOME", self.home / ".local" / "share")
        return data / "defocus" / "models"

    def folders(self) -> list[Folder]:
        """List where settings, logs, caches and sockets may lie."""
        named = (
            (self._named("DEFOCUS_CONFIG_DIR"), CONFIG_FILES),
            (self._named("DEFOCUS_LOG_DIR"), LOG_FILES),
            (self._named("DEFOCUS_RUNTIME_DIR"), RUNTIME_FILES),
        )
        return [Folder(path, files) for path, files in named if path is not None] + self._own()

    def gimp_roots(self) -> list[Path]:
        """List where the GIMPs of this user may keep their configuration, by package."""
        if self.system == "win32":
            return [self._variable("APPDATA", self.home / "AppData" / "Roaming") / "GIMP"]
        if self.system == "darwin":
            return [self.home / "Library" / "Application Support" / "GIMP"]
        roots = [
            self._variable("XDG_CONFIG_HOME", self.home / ".config") / "GIMP",
            self.home / ".config" / "GIMP",  # Flatpak and AppImage read this one in any case
            self.home / ".var" / "app" / "org.gimp.GIMP" / "config" / "GIMP",
        ]
        return list(dict.fromkeys(roots))

    def kritas(self) -> list[tuple[Path, Path]]:
        """List where the Kritas of this user may keep resources, and settings, by package."""
        if self.system == "win32":
            local = self._variable("LOCALAPPDATA", self.home / "AppData" / "Local")
            roaming = self._variable("APPDATA", self.home / "AppData" / "Roaming")
            stores = [path / "LocalCache" for path in local.glob("Packages/*Krita_*")]
            pairs = [(roaming, local), *((s / "Roaming", s / "Local") for s in stores)]
            return [(data / "krita", settings / "kritarc") for data, settings in pairs]
        if self.system == "darwin":
            library = self.home / "Library"
            return [(library / "Application Support" / "krita", library / "Preferences/kritarc")]
        data = self._variable("XDG_DATA_HOME", self.home / ".local" / "share")
        settings = self._variable("XDG_CONFIG_HOME", self.home / ".config")
        flatpak = self.home / ".var" / "app" / "org.kde.krita"
        return [  # an AppImage keeps both where the system's Krita does
            (data / "krita", settings / "kritarc"),
            (flatpak / "data" / "krita", flatpak / "config" / "kritarc"),
        ]

    def command_link(self) -> Path | None:
        """Return where a link to the command would be found: ~/.local/bin, where it is on PATH."""
        folder = self.home / ".local" / "bin"
        on_path = str(folder) in self.variables.get("PATH", "").split(os.pathsep)
        if self.system == "win32" or not on_path or not folder.is_dir():
            return None
        return folder / "defocus"

    def _own(self) -> list[Folder]:
        """List the folders that bear our name."""
        if self.system == "win32":
            local = self._variable("LOCALAPPDATA", self.home / "AppData" / "Local")
            files = (*CONFIG_FILES, "Logs", "Cache")
            return [
                Folder(local / "defocus", files),
                Folder(local / "defocus" / "defocus", ("Cache",)),
                Folder(local / "Temp" / "defocus", RUNTIME_FILES),
            ]
        if self.system == "darwin":
            library = self.home / "Library"
            return [
                Folder(self._usual_config(), CONFIG_FILES),
                Folder(library / "Caches" / "defocus", CACHE_FILES),
                Folder(library / "Logs" / "defocus", LOG_FILES),
                Folder(library / "Caches" / "TemporaryItems" / "defocus", RUNTIME_FILES),
            ]
        cache = self._variable("XDG_CACHE_HOME", self.home / ".cache")
        state = self._variable("XDG_STATE_HOME", self.home / ".local" / "state")
        user = os.getuid()
        run = self._variable("XDG_RUNTIME_DIR", Path(f"/run/user/{user}"))
        temporary = Path(tempfile.gettempdir()) / f"runtime-{user}"
        return [
            Folder(self._usual_config(), CONFIG_FILES),
            Folder(cache / "defocus", CACHE_FILES),
            Folder(state / "defocus" / "log", LOG_FILES),
            Folder(state / "defocus", ()),
            Folder(run / "defocus", RUNTIME_FILES),
            Folder(temporary / "defocus", RUNTIME_FILES),
        ]

    def _usual_config(self) -> Path:
        if self.system == "win32":
            return self._variable("LOCALAPPDATA", self.home / "AppData" / "Local") / "defocus"
        if self.system == "darwin":
            return self.home / "Library" / "Application Support" / "defocus"
        return self._variable("XDG_CONFIG_HOME", self.home / ".config") / "defocus"

    def _named(self, name: str) -> Path | None:
        value = self.variables.get(name)
        return Path(value) if value else None

    def _variable(self, name: str, usual: Path) -> Path:
        return self._named(name) or usual


def pasted(*words: object) -> str:
    """Return a command as it can be pasted into a terminal."""
    texts = [str(word) for word in words]
    return subprocess.list2cmdline(texts) if os.name == "nt" else shlex.join(texts)


def present(path: Path) -> bool:
    """Whether something has this name, be it a link to nothing."""
    return path.is_symlink() or path.exists()
