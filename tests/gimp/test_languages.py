"""The dialog speaks the user's language, and fits a small screen in each."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.gimp.conftest import Gimp
from tests.light.translations import LANGUAGES, read

SAMPLE = Path(__file__).parents[2] / "bokeh_core/samples/astronaut.png"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_dialog_in_another_language_fits_a_small_screen(root, home, daemon, tmp_path, language):
    title = read(language).get("Portrait Bokeh").string
    env = {"LANGUAGE": language, "DEFOCUS_TEST_TITLE": title}
    gimp = Gimp(root, tmp_path, home, daemon, env)
    shutil.copy(SAMPLE, tmp_path / "photo.png")
    gimp.desktop("languages_desk.py", "languages_gimp.py")
    _, _, width, height = gimp.read("geometry")
    assert width <= 1280
    assert height <= 690  # of 720, with a desktop's panel
