"""How a copy of defocus is told what to do: by its `install.py`, or by the command pip made."""

from __future__ import annotations

import shutil
from pathlib import Path

from daemon.setup.environment import Environment
from daemon.setup.places import pasted

INSIDE = {"install": "setup gimp", "mend": "setup gimp", "uninstall": "setup remove"}
"""What is wanted -> the words for the command of a copy that pip, pipx or uv installed."""
INSTALLER = {"install": "", "mend": "doctor --mend", "uninstall": "uninstall"}


def way(copy: Path, wanted: str) -> str:
    """Return what to type into a terminal.

    Parameters
    ----------
    copy
        The folder of that copy: a checkout, or an environment's folder of packages.
    wanted
        `install`, `mend` or `uninstall`.
    """
    installer = copy / "install.py"
    if installer.exists():
        return pasted("python3", installer, *INSTALLER[wanted].split())
    return pasted(_command(copy), *INSIDE[wanted].split())


def _command(packages: Path) -> str:
    """Return the command that belongs to a folder of packages: by its name where that finds it."""
    found = (Environment(each) for each in packages.parents if (each / "pyvenv.cfg").exists())
    environment = next(found, None)
    own = environment and shutil.which("defocus", path=str(environment.bin))
    usual = shutil.which("defocus")
    if not own or (usual and Path(usual).samefile(own)):
        return "defocus"
    return own
