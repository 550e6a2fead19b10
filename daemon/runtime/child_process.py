"""Starts Python: the one place that builds the command line and the environment of our processes.

Nothing of the current folder is on their path, and it is not their working directory either: a
folder of downloaded photos may hold a `numpy.py`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ENTRY = Path(__file__).with_name("entry.py")
ANCHOR = Path(sys.executable).anchor
"""Working directory of a process that lives on: it keeps no folder from being removed."""
_FOLDERS = ("DEFOCUS_CONFIG_DIR", "DEFOCUS_LOG_DIR", "DEFOCUS_RUNTIME_DIR")


def own_module(module: str, *words: str, python: Path | str = sys.executable) -> list[str]:
    """Return the command line that runs one of our modules."""
    return script(ENTRY, module, *words, python=python)


def script(path: Path, *words: str, python: Path | str = sys.executable) -> list[str]:
    """Return the command line that runs a file."""
    return [str(python), "-I", str(path), *words]


def module(name: str, *words: str, python: Path | str = sys.executable) -> list[str]:
    """Return the command line that runs an installed module, such as pip."""
    return [str(python), "-I", "-m", name, *words]


def code(text: str, python: Path | str = sys.executable) -> list[str]:
    """Return the command line that runs a piece of code."""
    return [str(python), "-I", "-c", text]


def environment(**own: str) -> dict[str, str]:
    """Return this process's environment, made fit for a child elsewhere, with `own` variables."""
    variables = {**os.environ, **own}
    for name in _FOLDERS:
        if variables.get(name):
            variables[name] = str(Path(variables[name]).absolute())
    return variables
