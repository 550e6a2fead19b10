"""What a plug-in's folder holds: the files of one editor, and the light client beside them.

In a checkout a plug-in is a folder at the top; in an installed wheel it lies here as data, where no
program can import it by mistake.
"""

from __future__ import annotations

from pathlib import Path

from daemon.setup.places import ROOT

PACKED = Path(__file__).with_name("plug-ins")
"""Where the wheel keeps the plug-ins (`force-include` in pyproject.toml)."""
LIGHT = Path(__file__).parents[1] / "light"
MARKER = b'"""Ours, before any other package of this name that an editor\'s Python may have."""\n'


def folder(editor: str) -> Path:
    """Return where the files of an editor's plug-in, such as `gimp_plugin`, lie in this copy."""
    packed = PACKED / editor
    return packed if packed.is_dir() else ROOT / editor


def contents(editor: str) -> dict[str, bytes]:
    """Return what belongs into a plug-in's folder: the path in it -> the bytes."""
    found = {"daemon/__init__.py": MARKER}
    for inside, source in (("", folder(editor)), ("daemon/light/", LIGHT)):
        for path in sorted(source.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                found[inside + path.relative_to(source).as_posix()] = path.read_bytes()
    return found
