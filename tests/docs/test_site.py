"""The documentation site: built from the pages and the docstrings without a warning, all public."""

import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import bokeh_core
from bokeh_core import picture, presets, rendering
from daemon import client

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Where it was built."""
    folder = tmp_path_factory.mktemp("site")
    words = ["-q", "-W", "--keep-going", "-d", folder / "doctrees", ROOT / "docs", folder / "html"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder / "html"


@pytest.fixture(scope="module")
def names(site):
    """The Python names that the reference explains."""
    lines = (site / "objects.inv").read_bytes().split(b"\n", 4)
    entries = zlib.decompress(lines[4]).decode().splitlines()
    return {entry.split()[0] for entry in entries if " py:" in entry}


MODULES = [bokeh_core, picture, rendering, client]


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_everything_public_is_explained(names, module):
    elsewhere = {"picture", "presets", "__version__"}
    wanted = set(module.__all__) - elsewhere
    explained = {name.rpartition(".")[2] for name in names}
    assert wanted <= explained


def test_what_a_module_without_a_list_offers_is_explained(names):
    assert {f"bokeh_core.presets.{name}" for name in ("Look", "PortraitLens", "LOOKS")} <= names
    assert presets.LOOKS


def test_every_page_is_on_the_site(site):
    pages = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    built = {path.relative_to(site).with_suffix(".md") for path in site.rglob("*.html")}
    assert pages <= built


def test_links_to_what_is_no_page_become_names(site):
    text = (site / "reports" / "networks.html").read_text()
    assert "bokeh_core/weights/portrait.md" in text
    assert 'href="../../' not in text
