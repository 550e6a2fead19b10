"""`daemon` as our own processes see it: these wings, whatever else of that name is installed.

The wings share the name with the package python-daemon, whose `daemon/__init__.py` hides every
namespace package wherever it lies on the path. So a process of ours has the folder above this one
on its path, before any package; those that it spawns inherit the path.
"""

from __future__ import annotations

from pathlib import Path

__path__ = [str(Path(__file__).resolve().parents[3])]
