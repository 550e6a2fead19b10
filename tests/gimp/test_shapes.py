"""The list of apertures shows what a point of light becomes with each."""

from __future__ import annotations


def test_every_shape_has_its_picture_beside_its_words(play):
    facts = play("shapes_gimp.py").read("facts")
    assert facts["shapes"]
    assert facts["different"] == facts["all"] == 6
