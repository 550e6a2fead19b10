"""The examples in the pages are run as they stand, by a reader who copies one after the other."""

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from bokeh_core import picture, samples
from daemon.client import connect
from tests.reliability.sandbox import sandbox

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/first-picture.md", "docs/library.md")
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What the pages speak of: a photo, and a folder with a shoot."""
    portrait = Image.open(samples.ASTRONAUT).convert("RGB").resize((320, 320))
    portrait.save(tmp_path / "photo.jpg", quality=95)
    (tmp_path / "shoot").mkdir()
    shutil.copy(tmp_path / "photo.jpg", tmp_path / "shoot")
    (tmp_path / "shoot" / "damaged.jpg").write_bytes(b"no photo")
    monkeypatch.chdir(tmp_path)
    with sandbox() as place:
        for name, value in place.environment().items():
            monkeypatch.setenv(name, value)
        yield tmp_path
        if (tmp_path / "results").exists():  # the page with a daemon in it
            with connect(start=False) as running:
                running.shutdown()


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page, folder, capsys):
    blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    assert blocks, "a page that is named here has examples"
    names = {}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{page}, example {number}", "exec"), names)
    made = picture.read(folder / "composite.jpg")
    assert (made.width, made.height) == (320, 320)
    assert (made.pixels != picture.read(folder / "photo.jpg").pixels).any()
    if page == "docs/library.md":
        assert [path.name for path in (folder / "results").iterdir()] == ["photo.jpg"]
        said = capsys.readouterr().out
        assert "damaged.jpg: " in said
        assert "stopped" in said
        assert said.rstrip().endswith("bokeh_core.picture.to_linear(array) makes light")
