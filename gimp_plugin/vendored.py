"""Finds the two libraries that install.py puts into `vendor/` beside this file.

`msgpack` always loads there: without its compiled part it falls back to its own pure Python. `zmq`
has no such fallback and may be missing or built for another Python: `gimp_plugin.zmtp` replaces it.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gimp_plugin.errors import PluginError

if TYPE_CHECKING:
    from types import ModuleType

FOLDER = Path(__file__).resolve().parent / "vendor"


def msgpack() -> ModuleType:
    """Import msgpack.

    Raises
    ------
    PluginError
        It is not installed: the plug-in folder is incomplete.
    """
    module = _load("msgpack")
    if module is None:
        raise PluginError(
            "The Bokeh plug-in is incomplete: its msgpack library is missing. "
            "Run `python3 install.py` again, it mends the plug-in folder."
        )
    return module


def zmq() -> ModuleType | None:
    """Import pyzmq, or give None where it cannot be loaded (or DEFOCUS_CLIENT=stdlib asks so)."""
    return None if os.environ.get("DEFOCUS_CLIENT") == "stdlib" else _load("zmq")


def _load(name: str) -> ModuleType | None:
    if FOLDER.is_dir() and str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(name)
    except (ImportError, OSError):  # OSError: a shared library for another system
        return None
