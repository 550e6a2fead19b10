"""One version in all: of the library, the daemon, the package and the light client."""

import re
from pathlib import Path

import bokeh_core
from daemon.light import facts
from daemon.runtime.version import VERSION

ROOT = Path(__file__).parents[1]


def test_library_daemon_and_editors_have_one_version():
    assert bokeh_core.__version__ == VERSION == facts.VERSION


def test_the_package_reads_it_from_the_library():
    text = (ROOT / "pyproject.toml").read_text()
    assert re.search(r'^dynamic = \["version"\]$', text, re.MULTILINE)
    assert 'path = "bokeh_core/__init__.py"' in text


def test_everything_exported_is_there():
    for name in bokeh_core.__all__:
        assert getattr(bokeh_core, name) is not None


def test_what_is_cited_is_this_version():
    assert f"version: {VERSION}" in (ROOT / "CITATION.cff").read_text().splitlines()
    assert f"version = {{{VERSION}}}" in (ROOT / "docs" / "references.md").read_text()
