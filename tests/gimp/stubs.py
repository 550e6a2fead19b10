"""Writes `stubs/gi/repository/`: what mypy has to know of GIMP, asked from a real one.

    python -m tests.gimp.stubs

The package index has stubs for GTK 4 and none for GIMP. These hold just what `gimp_plugin` names,
with the types that GIMP's own introspection gives. GLib and GObject, where PyGObject overrides what
introspection says, are written by hand.
"""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.gimp.rootfs import root_filesystem

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "stubs" / "gi" / "repository"
MODULES = {
    "Babl": "0.1",
    "Gdk": "3.0",
    "GdkPixbuf": "2.0",
    "Gegl": "0.4",
    "Gimp": "3.0",
    "Gio": "2.0",
    "GimpUi": "3.0",
    "Gtk": "3.0",
}
INSIDE = Path(__file__).with_name("introspect.py")


def used() -> dict[str, object]:
    """Find every `Module.Name` and every attribute that the plug-in names."""
    modules: dict[str, set[str]] = {module: set() for module in MODULES}
    attributes: set[str] = set()
    for path in (ROOT / "gimp_plugin").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                attributes.add(node.attr)
                if isinstance(node.value, ast.Name) and node.value.id in MODULES:
                    modules[node.value.id].add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                attributes.add(node.value)  # what `getattr` is called with
    found = {module: sorted(names) for module, names in modules.items()}
    return {"modules": found, "attributes": sorted(attributes)}


def text(module: str, entries: dict[str, dict]) -> str:
    """Return the stub of one module."""
    body = [line for name in sorted(entries) for line in _entry(module, name, entries[name])]
    written = "\n".join(body)
    others = [m for m in sorted({*MODULES, "GLib", "GObject"} - {module}) if f"{m}." in written]
    lines = [
        "# Written by tests/gimp/stubs.py from GIMP's introspection.",
        '# mypy: disable-error-code="override"',
        "",
    ]
    if "Callable" in written:
        lines.append("from collections.abc import Callable")
    if "Any" in written:
        lines.append("from typing import Any")
    lines += [f"from gi.repository import {', '.join(others)}"] if others else []
    return "\n".join([*lines, "", written.replace(f"{module}.", "")]) + "\n"


def _entry(module: str, name: str, entry: dict) -> list[str]:
    if entry["what"] == "function":
        return [f"def {name}{_signature(entry, None)}: ..."]
    if entry["what"] == "enum":
        values = [f"    {value}: {name}" for value in entry["values"]] or ["    ..."]
        return ["", f"class {name}(int):", "    value_nick: str", *values]
    if entry["what"] == "constant":
        return [f"{name}: Any"]
    lines = ["", f"class {name}({entry['parent']}):" if entry["parent"] else f"class {name}:"]
    made = sorted(entry["methods"], key=lambda method: method["name"])
    for method in made:
        if not method["method"]:
            lines.append("    @staticmethod")
        lines.append(f"    def {method['name']}{_signature(method, name)}: ...")
    lines.append("    def __init__(self, **properties: Any) -> None: ...")
    return lines


def _signature(entry: dict, owner: str | None) -> str:
    own = ["self"] if owner and entry["method"] else []
    given = [f"{name}_: {kind}" for name, kind in entry["args"]]
    return f"({', '.join([*own, *given])}) -> {entry['returns']}"


def written() -> dict[Path, str]:
    """Ask GIMP; give the text of each stub.

    Raises
    ------
    UnavailableError
        There is no real GIMP here.
    """
    root = root_filesystem("trixie")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(INSIDE, folder)
        (folder / "asked.json").write_text(json.dumps([MODULES, used()]), encoding="utf-8")
        command = f"python3 {folder}/introspect.py < {folder}/asked.json"
        done = root.run(["sh", "-c", command], visible=[folder])
    if done.returncode:
        sys.exit(done.stderr)
    found = json.loads(done.stdout)
    return {PLACE / f"{module}.pyi": _formatted(text(module, found[module])) for module in found}


def _formatted(stub: str) -> str:
    for words in (["check", "--fix-only", "--quiet"], ["format"]):
        ruff = [sys.executable, "-m", "ruff", *words, "-", "--stdin-filename", str(PLACE / "a.pyi")]
        stub = subprocess.run(ruff, input=stub, capture_output=True, text=True, check=True).stdout
    return stub


if __name__ == "__main__":
    for place, stub in written().items():
        place.write_text(stub, encoding="utf-8")
