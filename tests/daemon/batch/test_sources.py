"""Which pictures are found, and under which keys."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bokeh_core.errors import InputError
from daemon.batch import sources
from tests import rights

ROOT = str(Path(__file__).parents[3])


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for name in ("w/a.jpg", "w/church/b.PNG", "w/church/deep/c.tif", "w/notes.txt", "w/.h/d.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "w/.hidden.jpg").write_text("x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _keys(tree, *names, out="out"):
    return [source.key for source in sources.find(names, tree / out)]


def test_a_folder_keeps_its_structure_and_name(tree):
    everything = ["w/a.jpg", "w/church/b.PNG", "w/church/deep/c.tif"]
    assert _keys(tree, "w") == everything
    assert _keys(tree, str(tree / "w")) == everything
    assert _keys(tree, "w/church") == ["church/b.PNG", "church/deep/c.tif"]


def test_patterns_keep_what_is_below_their_fixed_part(tree):
    assert _keys(tree, "w/*.jpg") == ["w/a.jpg"]
    assert _keys(tree, "w/**/*.tif") == ["w/church/deep/c.tif"]


def test_results_and_hidden_files_are_no_sources(tree):
    inside = tree / "w/done/e.jpg"
    inside.parent.mkdir()
    inside.write_text("e")
    assert "w/done/e.jpg" in _keys(tree, "w")
    assert "w/done/e.jpg" not in _keys(tree, "w", out="w/done")
    assert "w/done/e.jpg" not in _keys(tree, "w/**/*", out="w/done")


def test_a_folder_inside_that_may_not_be_read_is_told(tree):
    (tree / "w/lost+found").mkdir(mode=0)
    code = "from pathlib import Path; from daemon.batch import sources\n"
    code += "print(len(sources.find(['w'], Path('out'), print)))"
    command = rights.bound([sys.executable, "-c", code])
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": ROOT}
    )
    told, count = done.stdout.splitlines()
    assert told.startswith("w/lost+found: Permission denied: have its owner allow it")
    assert count == "3"


@pytest.mark.parametrize("name", ["w", "w/*.jpg"])
def test_results_never_lie_right_among_the_photos(tree, name):
    with pytest.raises(InputError, match="is where the photos lie"):
        _keys(tree, name, out="w")


@pytest.mark.parametrize("name", ["w/church", "w/church/*", "w/church/**/*"])
def test_results_may_lie_above_the_photos(tree, name):
    assert "church/b.PNG" in _keys(tree, name, out="w")


def test_a_file_counts_once(tree):
    assert _keys(tree, "w", "w/a.jpg", "w") == _keys(tree, "w")


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_links_to_folders_are_not_followed(tree):
    (tree / "w/round").symlink_to(tree / "w", target_is_directory=True)
    assert len(_keys(tree, "w")) == 3


def test_files_of_one_name_need_their_folders(tree):
    other = tree / "v/a.jpg"
    other.parent.mkdir()
    other.write_text("other")
    with pytest.raises(InputError, match="name the folders"):
        _keys(tree, "w/a.jpg", "v/a.jpg")
    assert _keys(tree, "w/*.jpg", "v") == ["v/a.jpg", "w/a.jpg"]


@pytest.mark.parametrize("name", ["nowhere", "w/*.webp", "w/church/*/nothing.*"])
def test_what_leads_to_nothing_is_refused(tree, name):
    with pytest.raises(InputError, match=r"no such|matches no picture"):
        _keys(tree, name)


def test_a_folder_without_pictures_is_refused(tree):
    (tree / "empty").mkdir()
    with pytest.raises(InputError, match="no pictures in it"):
        _keys(tree, "empty")


def test_lists():
    assert sources.names_in("a b.jpg\n\n  c.jpg \r\n") == ["a b.jpg", "c.jpg"]
