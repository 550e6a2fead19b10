"""The light client stands alone, and its facts are those of the packages they come from."""

from __future__ import annotations

import ast
import sys

import pytest

from tests.light import facts

MODULES = sorted(facts.PLACE.parent.glob("*.py"))


def test_the_facts_are_as_written_from_their_home():
    assert facts.PLACE.read_text(encoding="utf-8") == facts.page(), (
        "run `python -m tests.light.facts`"
    )


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_only_the_standard_library_is_imported(module):
    allowed = sys.stdlib_module_names | {"daemon.light"}
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module]
        for name in names:
            ours = name == "daemon.light" or name.startswith("daemon.light.")
            assert ours or name.split(".")[0] in allowed, name
