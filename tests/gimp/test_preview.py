"""The preview on a real screen: zoomed, panned, and the very pixels that OK then gives."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

SIDE = 1280


def larger(gimp):
    """Make the photo larger than the screen."""
    photo = gimp.out / "photo.png"
    with Image.open(photo) as opened:
        opened.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(photo)


@pytest.fixture(scope="module")
def zoomed(play):
    """Play the scene; gives its GIMP."""
    return play("zoom_gimp.py", "zoom_desk.py", timeout=300, ready=larger)


def shown(gimp, name):
    """Return the middle of the picture on a screenshot of the dialog."""
    with Image.open(gimp.out / f"{name}.png") as screen:
        pixels = np.asarray(screen.convert("RGB"))
    return pixels[120:400, 150:560]


def composite_of(gimp):
    """Return the pixels of the Composite after OK."""
    return np.frombuffer((gimp.out / "composite").read_bytes(), np.uint8).reshape(SIDE, SIDE, 3)


def found_at(picture, piece):
    """Return x and y of where a piece of a picture lies in it."""
    return cv2.minMaxLoc(cv2.matchTemplate(picture, piece, cv2.TM_SQDIFF))[2]


@pytest.mark.parametrize("name", ["full", "panned"])
def test_at_100_percent_the_preview_has_the_pixels_of_the_composite(zoomed, name):
    result, seen = composite_of(zoomed), shown(zoomed, name)
    x, y = found_at(result, seen)
    expected = result[y : y + seen.shape[0], x : x + seen.shape[1]]
    assert np.abs(expected.astype(int) - seen).max() <= 1
    assert seen.std() > 10


def test_split_shows_the_photo_itself_before_the_line(zoomed):
    with Image.open(zoomed.out / "photo.png") as photo:
        before = np.asarray(photo.convert("RGB"))
    x, y = found_at(composite_of(zoomed), shown(zoomed, "panned"))
    for name, line in (("split", 349), ("split-moved", 500)):
        with Image.open(zoomed.out / f"{name}.png") as screen:
            seen = np.asarray(screen.convert("RGB"))[120:400, 150 : line - 4]
        expected = before[y : y + 280, x : x + seen.shape[1]]
        assert np.abs(expected.astype(int) - seen).max() <= 1


def test_fit_shows_the_whole_photo_again(zoomed):
    first, again = shown(zoomed, "fit"), shown(zoomed, "fit-again")
    assert np.abs(first.astype(int) - again).mean() < 2
