"""No module needs, by way of others, the one that imports it.

Imports inside functions count: they are a circle too, only one that breaks later. Those for types
alone (`if TYPE_CHECKING:`) are counted apart: no start breaks by them, but they tell of parts that
cannot be understood without each other.
"""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("bokeh_core", "daemon", "gimp_plugin", "krita_plugin")
TYPE_CIRCLES: set[frozenset[str]] = set()
"""Those that are known; a new one is thought about first."""


def modules():
    """Return the name and file of every module of ours."""
    files = (path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py")))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in files}


def imports(path, *, types):
    """Yield the names that a file imports; with `types` also those for type checking."""

    def walk(node):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not types:
            return
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute here"
            yield from ((node.module, alias.name) for alias in node.names)
        for child in ast.iter_child_nodes(node):
            yield from walk(child)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")))


def graph(files, *, types):
    """Give, for every module, the modules it imports."""
    names = {name.removesuffix(".__init__"): name for name in files}

    def place(module, name):
        return names.get(f"{module}.{name}") or names.get(module)

    found = {}
    for name, path in files.items():
        targets = {place(*each) for each in imports(path, types=types)}
        found[name] = targets - {None, name}
    return found


def circles(edges):
    """Return the modules of each circle, one after the other."""
    edges = {name: set(targets) for name, targets in edges.items()}
    found = []
    while circle := _first_circle(edges):
        found.append(circle)
        # each is imported by the one after it
        edges[circle[1]].discard(circle[0])
    return found


def _first_circle(edges):
    try:
        graphlib.TopologicalSorter(edges).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return None


def test_no_import_circles():
    assert circles(graph(modules(), types=False)) == []


def test_circles_for_types_are_the_known_ones():
    found = {frozenset(circle) for circle in circles(graph(modules(), types=True))}
    assert found == TYPE_CIRCLES


@pytest.mark.parametrize(
    ("texts", "plain", "with_types"),
    [
        ({"a": "import b", "b": "x = 1"}, 0, 0),
        ({"a": "import b", "b": "import c", "c": "import a"}, 1, 1),
        ({"a": "import b", "b": "def f():\n    from a import x"}, 1, 1),
        ({"a": "import b", "b": "if TYPE_CHECKING:\n    from a import x"}, 0, 1),
        ({"a": "import b\nimport c", "b": "import a", "c": "import a"}, 2, 2),
    ],
)
def test_circles_are_found(tmp_path, texts, plain, with_types):
    files = {name: tmp_path / f"{name}.py" for name in texts}
    for name, path in files.items():
        path.write_text(texts[name])
    assert len(circles(graph(files, types=False))) == plain
    assert len(circles(graph(files, types=True))) == with_types
