"""The plug-in in an editor's folders: put in place whole, checked, never over another's files."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from daemon.setup import launcher
from daemon.setup.environment import Environment, remove_tree
from daemon.setup.places import present
from daemon.setup.plugin_files import contents
from daemon.setup.problems import SetupProblem

MANIFEST = "files.json"
"""Lists what was put into the folder, for the next version and for `uninstall`."""
LEFT_IN_USE = ("connection.json", "window.json")
"""What a running daemon and the plug-in itself leave in the folder."""
BEFORE_MANIFESTS = ("*.py", "tools", "vendor", "daemon", "launcher.json", "*.pyc")
"""What the folder of a version without a list held."""


@dataclass(frozen=True)
class Kind:
    """What an editor's plug-in is, and where it belongs.

    Parameters
    ----------
    editor
        Its name, for people.
    source
        Whose files these are, as `plugin_files.contents` knows them.
    place
        Where it belongs in the editor's own folder.
    entry
        The file that the editor starts or imports: by it a plug-in is known to be ours.
    executable
        Whether that file is a program.
    announcement
        Name of a file that the editor wants beside the plug-in's folder; empty: none.
    strays
        Where people have put it by mistake, beside its place.
    """

    editor: str
    source: str
    place: str
    entry: str
    executable: bool = False
    announcement: str = ""
    strays: tuple[str, ...] = ()


GIMP = Kind(
    "GIMP",
    "gimp_plugin",
    "plug-ins/bokeh",
    "bokeh.py",
    executable=True,
    strays=("bokeh.py", "gimp_plugin", "bokeh/bokeh"),
)
KRITA = Kind(
    "Krita",
    "krita_plugin",
    "pykrita/defocus_bokeh",
    "__init__.py",
    announcement="defocus_bokeh.desktop",
    strays=("krita_plugin",),
)
KINDS = (GIMP, KRITA)


@dataclass(frozen=True)
class Plugin:
    """The plug-in of this copy in one editor.

    Parameters
    ----------
    folder
        The folder where the editor keeps what is this user's.
    environment
        Whose Python starts the daemon.
    kind
        Which editor it is.
    """

    folder: Path
    environment: Environment
    kind: Kind = GIMP

    @classmethod
    def at(cls, target: Path, environment: Environment) -> Plugin:
        """Return the one that lies, or lay, in a folder."""
        kind = next((k for k in KINDS if target.name == Path(k.place).name), GIMP)
        return cls(target.parent.parent, environment, kind)

    @property
    def target(self) -> Path:
        """The folder where it belongs."""
        return self.folder / self.kind.place

    @property
    def announcement(self) -> Path | None:
        """The file beside the folder by which the editor finds it; None: it needs none."""
        name = self.kind.announcement
        return self.target.with_name(name) if name else None

    def launcher(self) -> str:
        """Return the content of `launcher.json`: how the plug-in starts the daemon."""
        return launcher.content(self.environment)

    def copy(self) -> None:
        """Put it in place whole: built beside, then swapped for the old copy.

        Raises
        ------
        SetupProblem
            Somebody else's plug-in has the name.
        """
        self.refuse_foreign()
        for stray in self.strays():
            _remove(stray)
        fresh = self.target.with_name(f".{self.target.name}-new")
        remove_tree(fresh)
        for name, content in contents(self.kind.source).items():
            place = fresh / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        if self.kind.executable:
            (fresh / self.kind.entry).chmod(0o755)
        (fresh / "launcher.json").write_text(self.launcher(), encoding="utf-8")
        ours = sorted(p.relative_to(fresh).as_posix() for p in fresh.rglob("*") if p.is_file())
        (fresh / MANIFEST).write_text(json.dumps([*ours, MANIFEST]), encoding="utf-8")
        self._swap(fresh)
        if self.announcement is not None:
            shutil.copyfile(self.target / self.announcement.name, self.announcement)

    def _swap(self, fresh: Path) -> None:
        for foreign in self.foreign_files():
            place = fresh / foreign.relative_to(self.target)
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                shutil.move(foreign, place)
        if present(self.target):
            _remove(self.target)
        fresh.rename(self.target)

    def changed(self) -> list[Path]:
        """List the folders and files that `copy` writes: the one around it is needed, too."""
        return [self.target.parent, self.target]

    def is_left(self) -> bool:
        """Whether anything of it may be there to be taken away."""
        return self._is_there() or (self.announcement is not None and present(self.announcement))

    def remove(self) -> list[Path]:
        """Take it away; give what was not ours and stays."""
        if self.is_foreign():
            return [self.target]
        if self.announcement is not None:
            self.announcement.unlink(missing_ok=True)
        kept = self.foreign_files()
        if not self._is_there():
            return kept
        if not kept:
            _remove(self.target)
            return []
        for path in our_files(self.target):
            path.unlink()
        for folder in sorted(self.target.rglob("*"), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        return kept

    def faults(self) -> list[str]:
        """Say why the menu entry could be missing in this editor."""
        wrong = [f"{place} is the wrong place for it" for place in self.strays()]
        if self.is_foreign():
            return [f"{self.target} is not this plug-in"]
        if not self._is_there():
            return wrong or ["not installed"]
        faults = wrong
        for name, content in contents(self.kind.source).items():
            place = self.target / name
            if not place.exists():
                faults.append(f"{name} is missing")
            elif place.read_bytes() != content:
                faults.append(f"{name} is another version")
        entry = self.target / self.kind.entry
        program = self.kind.executable and os.name == "posix" and entry.exists()
        if program and not entry.stat().st_mode & stat.S_IXUSR:
            faults.append(f"{entry.name} is not executable")
        if self.announcement is not None and not self.announcement.exists():
            faults.append(f"{self.announcement.name} is missing beside it")
        with contextlib.suppress(OSError):
            if (self.target / "launcher.json").read_text(encoding="utf-8") != self.launcher():
                faults.append("it would start another copy of defocus")
        return faults

    def refuse_foreign(self) -> None:
        """Stop where somebody else's plug-in has the name.

        Raises
        ------
        SetupProblem
            So it is.
        """
        if self.is_foreign():
            raise SetupProblem(
                f"{self.target} is not this plug-in.",
                f"Move it out of {self.kind.editor}'s folder or rename it, "
                "then run the same command again.",
            )

    def strays(self) -> list[Path]:
        """List what was left of this plug-in in places where the editor does not look for it."""
        places = (self.target.parent / name for name in self.kind.strays)
        return [place for place in places if self._is_ours(place)]

    def is_foreign(self) -> bool:
        """Whether somebody else's plug-in is there: something that an editor would start.

        Other files alone are what somebody has put beside ours, and `remove` has left.
        """
        if not present(self.target) or self._is_there():
            return False
        if not self.target.is_dir():
            return True
        starts = {self.target.name, Path(self.kind.entry).stem}
        return any(p.stem in starts and not self._is_ours(p) for p in self.target.iterdir())

    def foreign_files(self) -> list[Path]:
        """List what somebody else has put into the folder: all that is there without ours."""
        if self.target.is_symlink():
            return []
        return foreign_files(self.target) if self._is_there() else all_files(self.target)

    def _is_there(self) -> bool:
        """Whether a version of ours is in the folder, be it one folder too deep."""
        if self._is_ours(self.target):
            return True
        return self.target.is_dir() and all(map(self._is_ours, self.target.iterdir()))

    def _is_ours(self, place: Path) -> bool:
        """Whether this is a version of the plug-in: its main file, or what is left of a folder."""
        inside = [place / self.kind.entry, place / "launcher.json"]
        for file in inside if place.is_dir() else [place]:
            with contextlib.suppress(OSError):
                text = file.read_text(encoding="utf-8", errors="replace")
                if self.kind.source in text or "daemon.cli.main" in text:
                    return True
        return False


def our_files(folder: Path) -> list[Path]:
    """List the files in a plug-in folder that a set-up or the daemon put there."""
    listed = _listed(folder)
    return [p for p in all_files(folder) if _is_our_file(p.relative_to(folder), listed)]


def foreign_files(folder: Path) -> list[Path]:
    """List the files in a plug-in folder that somebody else put there."""
    ours = set(our_files(folder))
    return [path for path in all_files(folder) if path not in ours]


def all_files(folder: Path) -> list[Path]:
    """List what is in a folder and no folder itself."""
    return [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]


def _listed(folder: Path) -> list[str] | None:
    try:
        return [str(name) for name in json.loads((folder / MANIFEST).read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return None


def _is_our_file(path: Path, listed: list[str] | None) -> bool:
    if "__pycache__" in path.parts or path.as_posix() in LEFT_IN_USE:
        return True
    if listed is None:
        return any(Path(path.parts[0]).match(pattern) for pattern in BEFORE_MANIFESTS)
    return path.as_posix() in listed


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
