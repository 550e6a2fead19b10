"""The environment of this copy: made beside the one in use, and swapped for it once it works."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.setup.machine import VenvMaker, runs
from daemon.setup.places import ROOT, present

SMALL_SCRIPT = 64 << 10
"""Bytes. Scripts that pip and venv write are smaller; programs in the same folder are not."""


@dataclass(frozen=True)
class Environment:
    """An environment with Python and our packages.

    Parameters
    ----------
    folder
        Its own folder.
    interpreter
        Its Python; None: where the module venv puts it.
    """

    folder: Path = ROOT / ".venv"
    interpreter: Path | None = None

    @property
    def bin(self) -> Path:
        """The folder of its commands."""
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.interpreter or self.bin / ("python.exe" if os.name == "nt" else "python")

    @property
    def command(self) -> Path:
        """The `defocus` command in it."""
        return self.bin / ("defocus.cmd" if os.name == "nt" else "defocus")

    @property
    def log(self) -> Path:
        """What pip said, all of it."""
        return self.folder / "install.log"

    @property
    def temporary(self) -> Path:
        """Where downloads lie until they are unpacked: here is the room for them."""
        return self.folder / "tmp"

    @property
    def record(self) -> Record:
        """What is noted of it."""
        return Record.read(self.folder / "defocus-install.json")

    def runs(self, code: str) -> bool:
        """Whether its Python exists and gets through this code."""
        return runs(self.python, code)

    def next(self) -> Environment:
        """Return the one that is being made beside it."""
        return Environment(self.folder.with_name(f"{self.folder.name}-next"))

    def previous(self) -> Environment:
        """Return the one that it has just replaced."""
        return Environment(self.folder.with_name(f"{self.folder.name}-previous"))


@dataclass(frozen=True)
class Record:
    """What is noted of an environment.

    Attributes
    ----------
    path
        The file.
    wanted
        Fingerprint of what it is made from.
    extras
        The optional sets of packages in it.
    build
        "cpu" or "any": where its torch comes from.
    done
        Names of packages that were put in place whole.
    complete
        Whether everything was there and could be loaded.
    """

    path: Path
    wanted: str = ""
    extras: tuple[str, ...] = ()
    build: str = "any"
    done: tuple[str, ...] = ()
    complete: bool = False

    @classmethod
    def read(cls, path: Path) -> Record:
        """Read the note; an empty one when there is none that can be read."""
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                path,
                str(found.get("wanted", "")),
                tuple(map(str, found["extras"])),
                str(found.get("build", "any")),
                tuple(map(str, found["done"])),
                bool(found.get("complete", False)),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return cls(path)

    def write(self) -> None:
        """Write the note in one step."""
        text = {
            "wanted": self.wanted,
            "extras": self.extras,
            "build": self.build,
            "done": self.done,
            "complete": self.complete,
        }
        fresh = self.path.with_suffix(".part")
        fresh.write_text(json.dumps(text), encoding="utf-8")
        fresh.replace(self.path)


def running() -> Environment:
    """Return the environment of this Python: our own, or one that pip, pipx or uv made.

    What pip installs for a user belongs to the system's Python, which may be called python3 alone.
    """
    usual = Environment(Path(sys.prefix))
    return usual if usual.python.exists() else Environment(usual.folder, Path(sys.executable))


def begin(current: Environment, wanted: Record, maker: VenvMaker) -> Environment:
    """Return an environment beside the current one in which packages can be put into place.

    One that an earlier run was making for the same aim is gone on with. Else it starts as a copy of
    the current one, by hard links: pip replaces files and never writes into them, so the current
    one keeps its own, and what is the same takes no room.
    """
    fresh = current.next()
    note = fresh.record
    if note.wanted == wanted.wanted and fresh.runs("import pip"):
        shutil.rmtree(fresh.temporary, ignore_errors=True)
    else:
        remove_tree(fresh.folder)
        if current.record.complete and current.record.build == wanted.build and is_ours(current):
            shutil.copytree(current.folder, fresh.folder, symlinks=True, copy_function=_link)
            adopt(fresh, current.folder)
        else:
            maker.make(fresh.folder)
    path = fresh.folder / "defocus-install.json"
    done = fresh.record.done
    # a file of its own: the linked one belongs to the current environment
    Record(path, wanted.wanted, wanted.extras, wanted.build, done).write()
    fresh.temporary.mkdir(exist_ok=True)
    return fresh


def swap(current: Environment) -> None:
    """Put the finished environment in the place of the current one."""
    fresh, old = current.next(), current.previous()
    remove_tree(fresh.temporary)
    remove_tree(old.folder)
    adopt(fresh, fresh.folder, current.folder)
    if present(current.folder):
        current.folder.rename(old.folder)
    fresh.folder.rename(current.folder)
    remove_tree(old.folder)


def settle(current: Environment) -> None:
    """Finish, or undo, a swap that was cut off between its two steps."""
    if not present(current.folder) and present(current.previous().folder):
        current.previous().folder.rename(current.folder)
    remove_tree(current.previous().folder)


def is_ours(found: Environment) -> bool:
    """Whether it works and is of the Python that runs here: a copy of it then works as well."""
    version = f"{sys.version_info.major}, {sys.version_info.minor}"
    return found.runs(f"import pip, sys; assert sys.version_info[:2] == ({version})")


def adopt(found: Environment, was: Path, becomes: Path | None = None) -> None:
    """Write the place of an environment into its scripts, which name it in full."""
    old = os.fsencode(was)
    new = os.fsencode(found.folder if becomes is None else becomes)
    for path in (*found.bin.iterdir(), found.folder / "pyvenv.cfg"):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > SMALL_SCRIPT:
            continue
        content = path.read_bytes()
        if old in content and b"\0" not in content:
            mode = path.stat().st_mode
            path.unlink()  # it may be linked to that of the environment it was copied from
            path.write_bytes(content.replace(old, new))
            path.chmod(mode)


def remove_tree(folder: Path) -> None:
    """Remove a folder with all in it, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _link(source: str, target: str) -> None:
    """Link a file, or copy it where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
