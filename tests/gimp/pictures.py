"""The pictures of docs/gimp.md, taken from a real GIMP.

    python -m pytest tests/gimp/pictures.py

writes them to docs/pictures. No test by its name, so a run of all tests leaves the pictures alone.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.gimp.conftest import Gimp
from tests.gimp.test_settings import answering

SAMPLE = Path(__file__).parents[2] / "bokeh_core/samples/astronaut.png"
TARGET = Path(__file__).parents[2] / "docs/pictures"
NAMES = ("menu", "dialog", "focus", "depth", "layers", "mask", "settings")


def test_pictures_of_the_user_page(root, home, daemon, tmp_path):
    gimp = Gimp(root, tmp_path, home, daemon)
    shutil.copy(SAMPLE, tmp_path / "photo.png")
    with answering(gimp, device="auto"):
        gimp.desktop("pictures_desk.py", "pictures_gimp.py", timeout=400)
    for name in NAMES:
        shutil.copy(tmp_path / f"gimp-{name}.png", TARGET / f"gimp-{name}.png")


def test_picture_of_the_light_theme(root, home, daemon, tmp_path):
    gimp = Gimp(root, tmp_path, home, daemon, {"DEFOCUS_TEST_SCHEME": "light"})
    shutil.copy(SAMPLE, tmp_path / "photo.png")
    gimp.desktop("light_desk.py", "light_gimp.py")
    shutil.copy(tmp_path / "gimp-light.png", TARGET / "gimp-light.png")
