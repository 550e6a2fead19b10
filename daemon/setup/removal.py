"""Takes away what was put anywhere, works with a broken environment, keeps what is not ours."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.setup import command_link, demo_files, gimp, krita, machine, service
from daemon.setup.ledger import Ledger
from daemon.setup.places import ROOT, TORCH_CACHE, Folder, Places, present
from daemon.setup.plugin import Plugin
from daemon.setup.ways import way

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from daemon.setup.environment import Environment
    from daemon.setup.steps import Steps

CHECK_CACHES = (
    ".hypothesis",
    ".import_linter_cache",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
)
STOP_S = 5.0
NAMED_AT_MOST = 5


class Removal:
    """One uninstallation.

    Attributes
    ----------
    kept
        What stays, each with the reason.
    failed
        Whether something of ours could not be removed.
    found
        Whether anything of an installation was there.
    """

    def __init__(self, steps: Steps, places: Places, environment: Environment) -> None:
        self._steps = steps
        self._places = places
        self._environment = environment
        self._ledger = Ledger.read(places)
        self.kept: list[str] = []
        self.failed = False
        self.found = False

    def outside(self) -> None:
        """Remove what this copy put outside of itself, unless it belongs to another copy."""
        other = self._ledger.other_owner()
        if other is not None:
            self.kept.append(
                f"the plug-in, the settings and the service belong to the copy in {other}: "
                f"{way(other, 'uninstall')}"
            )
            return
        self._end_service()
        self._stop_daemon()
        self._plugins()
        link = self._places.command_link()
        if link is not None and command_link.is_ours(link):
            self._remove(link)
        for folder in self._places.folders():
            self._known_in(folder)
        models = self._places.models()
        if models.is_dir() and any(models.iterdir()):
            self.kept.append(f"{models}: weights that you have trained and named")
        self._remove_empty(*self._ledger.made)
        self._remove_empty(Path(tempfile.gettempdir()) / (TORCH_CACHE + getpass.getuser()))

    def inside(self) -> None:
        """Remove what a set-up, the demo and the checks made in this copy."""
        current = self._environment
        for found in (current.next(), current.previous(), current):
            self._remove(found.folder)
        demo = ROOT / "demo-output"
        changed = demo_files.changed(demo)
        ours = [name for name in demo_files.NAMES if demo / name not in changed]
        ours += [demo_files.RECORD, f"{demo_files.UNFINISHED}*"]
        self._known_in(Folder(demo, tuple(ours)), changed)
        installed = self.found
        for name in CHECK_CACHES:
            self._remove(ROOT / name)
        sources = [place for place in ROOT.iterdir() if not place.name.startswith(".")]
        for path in (ROOT / "__pycache__", *(p for s in sources for p in s.rglob("__pycache__"))):
            self._remove(path)
        self.found = installed  # caches come of any run, this one's too

    def say_what_stays(self) -> None:
        """Name what was kept; where there was nothing at all, say that."""
        for text in self.kept:
            self._steps.say(f"   kept: {text}")
        if not (self.found or self.kept):
            self._steps.say("   nothing of an installation was found")

    def _end_service(self) -> None:
        found = service.service()
        if found.path is not None and present(found.path):
            self._do("end the service", service.remove, found)
        elif found.path is None:
            self._steps.do("end the service, if there is one", service.remove, found)

    def _stop_daemon(self) -> None:
        for folder in self._places.folders():
            where = folder.path / "connection.json"
            if not (unsafe(folder.path) or unsafe(where)) and where.exists():
                self._do("stop the daemon", stop_daemon, where, self._environment)

    def _plugins(self) -> None:
        plugins = [Plugin(folder, self._environment) for folder in gimp.folders(self._places)]
        plugins += krita.plugins(self._places, self._environment)
        plugins += [Plugin.at(target, self._environment) for target in self._ledger.plugins]
        for plugin in {plugin.target: plugin for plugin in reversed(plugins)}.values():
            left = plugin.is_left()
            if not (left or present(plugin.target)) or self._is_unsafe(plugin.target):
                continue
            if plugin.is_foreign():
                self._keep([plugin.target])
            elif left:
                self._do(f"remove {plugin.target}", self._remove_plugin, plugin)
            else:
                self._keep(plugin.foreign_files())

    def _remove_plugin(self, plugin: Plugin) -> None:
        self._keep(plugin.remove())

    def _keep(self, paths: list[Path]) -> None:
        self.kept += [f"{path} is not this plug-in's" for path in paths[:NAMED_AT_MOST]]

    def _known_in(self, folder: Folder, changed: Collection[Path] = ()) -> None:
        """Remove what is ours in a folder, and the folder when nothing else is in it."""
        if not folder.path.is_dir() or self._is_unsafe(folder.path):
            return
        for pattern in folder.patterns:
            for path in sorted(folder.path.glob(pattern)):
                self._remove(path)
        inner = {folder.path / Path(pattern).parent for pattern in folder.patterns}
        self._remove_empty(*(inner - {folder.path}), folder.path)
        if not self._steps.dry and folder.path.is_dir() and folder.patterns:
            left = sorted(folder.path.iterdir())
            self.kept += [
                f"{path} {'was changed since it was made' if path in changed else 'is not ours'}"
                for path in left[:NAMED_AT_MOST]
            ]
            if len(left) > NAMED_AT_MOST:
                self.kept.append(f"{len(left) - NAMED_AT_MOST} others in {folder.path}")

    def _remove_empty(self, *folders: Path) -> None:
        for path in sorted(folders, key=lambda path: -len(path.parts)):
            empty = path.is_dir() and not path.is_symlink() and not any(path.iterdir())
            if empty and not self._is_unsafe(path):
                self._do(f"remove {path}", path.rmdir)

    def _remove(self, path: Path) -> None:
        if present(path) and not self._is_unsafe(path):
            self._do(f"remove {path}", self._remove_now, path)

    def _remove_now(self, path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
        if present(path):
            self.failed = True
            left = next((p for p in path.rglob("*") if not p.is_dir()), path)
            self.kept.append(
                f"{left} cannot be removed (it belongs to {machine.owner(left)}): "
                "ask its owner, or use sudo, then uninstall again"
            )

    def _do(self, what: str, action: Callable[..., object], *args: object) -> None:
        self.found = True
        self._steps.do(what, action, *args)

    def _is_unsafe(self, path: Path) -> bool:
        reason = unsafe(path)
        if reason:
            self.kept.append(f"{path}: {reason}")
        return bool(reason)


def unsafe(path: Path) -> str:
    """Say why something could lead to another user's files; empty when nothing could.

    On a shared machine anybody can make a folder in /tmp, or a link to one of ours, by a name that
    we use: only what belongs to this user, on a way that only this user and root made, is ours.
    """
    if os.name != "posix":
        return ""
    mine = os.getuid()
    for place in (path, *path.parents):
        try:
            owner = place.lstat().st_uid
        except OSError:
            continue
        if owner != mine and (place == path or owner != 0):
            whose = f"{place} belongs to {machine.owner(place)}"
            if owner == 0 and Path.home() in place.parents:
                whose += f"; give it back to yourself: {machine.given_back(place)}"
            return whose
    return ""


def stop_daemon(where: Path, environment: Environment) -> None:
    """Stop the daemon that a connection file speaks of: in order, or else by a signal."""
    folder = {"DEFOCUS_RUNTIME_DIR": str(where.parent)}
    command = [str(environment.command), "daemon", "stop"]
    with contextlib.suppress(OSError):
        subprocess.run(command, capture_output=True, check=False, env={**os.environ, **folder})
    try:
        pid = int(json.loads(where.read_text(encoding="utf-8"))["pid"])
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, KeyError, TypeError):
        return  # it has taken its file with it, or this system does not tell whose the number is
    if b"daemon.cli.main" not in words:
        return
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + STOP_S
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.05)
