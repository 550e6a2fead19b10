"""The optional sets of packages: those of pyproject.toml, and the way to them that works here."""

import importlib.metadata
import re
from pathlib import Path

import pytest

from bokeh_core import extras
from daemon.cli import doctor

ROOT = Path(__file__).parents[2]


def test_they_are_those_of_the_project_file():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name, extra in extras.EXTRAS.items():
        block = re.search(rf"^{name} = \[(.*?)\]$", text, re.MULTILINE | re.DOTALL)[1]
        listed = re.findall(r'"([A-Za-z0-9-]+)', block)
        packages = importlib.metadata.packages_distributions()
        found = {package for module in extra.modules for package in packages.get(module, [module])}
        assert {name.replace("_", "-").lower() for name in found} == set(listed), name


@pytest.mark.parametrize(
    ("installer", "words"),
    [
        ("install.py", "python3 install.py --with hub,train"),
        ("gone.py", "pip install '.[hub,train]' in the folder of the sources"),
    ],
)
def test_a_copy_and_a_package_of_pip_have_ways_of_their_own(monkeypatch, installer, words):
    monkeypatch.setattr(extras, "INSTALLER", ROOT / installer)
    assert extras.how_to_get("hub", "train") == words


def test_the_doctor_names_what_is_not_there_with_the_way_to_it(monkeypatch):
    gone = extras.Extra("what nobody has", ("no_such_module",))
    monkeypatch.setitem(extras.EXTRAS, "matting", gone)
    found = doctor._extras()
    assert found.good
    assert "; not matting (what nobody has): python3 install.py --with matting" in found.text
