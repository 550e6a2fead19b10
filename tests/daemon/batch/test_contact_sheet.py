"""What a contact sheet writes below its pictures."""

from __future__ import annotations

import pytest
from PIL import ImageFont

from daemon.batch import contact_sheet


@pytest.mark.parametrize(
    ("caption", "legible"),
    [
        ("w/Fräulein Müller.jpg", "w/Fraulein Muller.jpg"),
        ("w/Fra\u0308ulein.jpg", "w/Fraulein.jpg"),  # as macOS writes it
        ("Straße/déjà.jpg", "Strasse/deja.jpg"),
        ("日本 1.jpg", "?? 1.jpg"),
        ("plain_1-(2).JPG", "plain_1-(2).JPG"),
    ],
)
def test_names_are_legible(caption, legible):
    assert contact_sheet.legible(caption) == legible


def test_the_font_has_every_letter_that_is_used():
    font = ImageFont.load_default(12)
    box = bytes(font.getmask("\uffff"))
    used = {contact_sheet.legible(chr(code)) for code in range(0x20, 0x250)} - {""}
    assert not [text for text in used if text.isprintable() and bytes(font.getmask(text)) == box]
