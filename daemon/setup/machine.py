"""What the machine offers: a Python that can make environments, room, an NVIDIA card, rights."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from daemon.runtime import child_process
from daemon.setup.places import pasted, present
from daemon.setup.problems import SetupProblem


@dataclass(frozen=True)
class VenvMaker:
    """How an environment can be made here.

    Parameters
    ----------
    command
        Makes one in the folder that follows.
    before
        What has to be installed into the system first.
    """

    command: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()

    def make(self, folder: Path) -> None:
        """Make an environment; `before` is run first."""
        for words in self.before:
            subprocess.run(words, check=True)
        subprocess.run([*self.command, str(folder)], check=True)


def base_python() -> str:
    """Return the Python that environments are made with: not that of one of them."""
    return str(getattr(sys, "_base_executable", sys.executable))


def runs(python: Path | str, code: str) -> bool:
    """Whether a Python exists and gets through this code, isolated from the current folder."""
    try:
        done = subprocess.run(child_process.code(code, python), capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def venv_maker() -> VenvMaker:
    """Find out how to make an environment.

    Raises
    ------
    SetupProblem
        This Python cannot, and the system may not be asked for the module.
    """
    python = base_python()
    venv = tuple(child_process.module("venv", python=python))
    if runs(python, "import ensurepip, venv"):
        return VenvMaker(venv)
    if runs(python, "import virtualenv"):
        return VenvMaker(tuple(child_process.module("virtualenv", "-q", python=python)))
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        apt = (("apt-get", "update", "-qq"), ("apt-get", "install", "-y", "-qq", "python3-venv"))
        return VenvMaker(venv, apt)
    raise SetupProblem(
        "This Python cannot make virtual environments.",
        "Debian, Ubuntu: sudo apt-get install python3-venv; then run the same command again.",
    )


def refuse_unfit() -> None:
    """Stop on a Python of 32 bits.

    Raises
    ------
    SetupProblem
        There is no torch for it.
    """
    if sys.maxsize < 2**32:
        raise SetupProblem("This Python has 32 bits; torch needs 64.", "Install a 64-bit Python.")


def refuse_sudo(*folders: Path) -> None:
    """Stop a run with sudo in a folder of somebody else: what it makes would be root's.

    Raises
    ------
    SetupProblem
        So it is.
    """
    user = os.environ.get("SUDO_UID", "0")
    if user == "0" or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    if user in {str(folder.stat().st_uid) for folder in folders}:
        raise SetupProblem(
            "This runs with sudo, and everything it makes would belong to root.",
            "Run the same command as yourself, without sudo: it needs no rights.",
        )


def refuse_others(paths: list[Path]) -> None:
    """Stop where something that has to be changed belongs to another user.

    Raises
    ------
    SetupProblem
        Names the owner and the cure.
    """
    problem = others(paths)
    if problem is not None:
        raise problem


def others(paths: list[Path]) -> SetupProblem | None:
    """Return what is wrong where something that has to be changed belongs to another user."""
    closed: list[Path] = []
    for path in paths:
        there = next((place for place in (path, *path.parents) if present(place)), path)
        if os.access(there, os.W_OK) and (present(path) or os.access(there, os.X_OK)):
            continue
        closed += [] if {there, *there.parents}.intersection(closed) else [there]
    if not closed:
        return None
    mine = owner_name(os.geteuid()) if hasattr(os, "geteuid") else "you"
    names = list(dict.fromkeys(owner(there) for there in closed))
    if mine in names:
        (there, *_) = (each for each in closed if owner(each) == mine)
        return SetupProblem(f"{there} cannot be written.", _writable(there))
    return SetupProblem(
        f"{', '.join(map(str, closed))} {'belongs' if len(closed) == 1 else 'belong'} to "
        f"{', '.join(names)}, and you are {mine}: was defocus once set up with sudo?",
        f"Give it back to yourself: {given_back(*closed)}; then run the same command again.",
    )


def given_back(*paths: Path) -> str:
    """Return the command that makes files and folders one's own again."""
    mine = owner_name(os.geteuid()) if hasattr(os, "geteuid") else "you"
    return pasted("sudo", "chown", "-R", mine, *paths)


def _writable(path: Path) -> str:
    return f"Copy defocus to a folder of your own, or allow it: chmod u+w {pasted(path)}"


def owner(path: Path) -> str:
    """Name the owner of a file or folder."""
    return owner_name(path.lstat().st_uid)


def owner_name(user: int) -> str:
    """Name a user by number."""
    try:
        import pwd  # noqa: PLC0415 - not on Windows

        return pwd.getpwuid(user).pw_name
    except (ImportError, KeyError):
        return str(user)


def has_nvidia() -> bool:
    """Whether an NVIDIA card and its driver are here."""
    return Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi") is not None


def is_linux_x86() -> bool:
    """Whether torch's builds for this system differ by gigabytes."""
    return platform.system() == "Linux" and platform.machine() in {"x86_64", "AMD64"}


def free_gb(folder: Path) -> float:
    """Room in a folder's file system, in GB (10^9 bytes)."""
    return shutil.disk_usage(folder).free / 1e9
