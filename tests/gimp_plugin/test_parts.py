"""Formats, and what may be imported when."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from gimp_plugin.formats import encoding

PLUGIN = Path(__file__).parents[2] / "gimp_plugin"


@pytest.mark.parametrize(
    ("precision", "channels", "name", "transfer"),
    [
        ("u8-non-linear", 3, "R'G'B' u8", "srgb"),
        ("u8-linear", 4, "RGBA u8", "linear"),
        ("u16-perceptual", 1, "Y~ u16", "srgb"),
        ("u32-non-linear", 2, "Y'A float", "srgb"),
        ("half-linear", 3, "RGB float", "linear"),
        ("double-non-linear", 3, "R'G'B' float", "srgb"),
    ],
)
def test_formats_keep_type_and_curve(precision, channels, name, transfer):
    assert encoding(precision).babl(channels) == name
    assert encoding(precision).transfer == transfer


def test_the_executable_imports_only_the_standard_library_and_gi_at_first():
    tree = ast.parse((PLUGIN / "bokeh.py").read_text())
    names = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    assert names <= sys.stdlib_module_names | {"gi"}


def test_the_executable_can_be_executed():
    assert (PLUGIN / "bokeh.py").stat().st_mode & 0o111
    assert (PLUGIN / "bokeh.py").read_text().startswith("#!/usr/bin/env python3\n")
