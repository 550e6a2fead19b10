"""Scenes that are played inside Krita, by `tests/krita/inside.py`."""

import ast
from pathlib import Path


def load_cases(name: str) -> dict:
    """Return the literal `CASES` of a script without running it."""
    tree = ast.parse((Path(__file__).parent / name).read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "CASES":
            return ast.literal_eval(node.value)
    raise LookupError(name)
