"""The settings file: which options which picture gets."""

from __future__ import annotations

import pytest

from bokeh_core.errors import InputError
from daemon.batch import settings


@pytest.fixture
def load(tmp_path):
    def read(text):
        path = tmp_path / "shoot.toml"
        path.write_text(text)
        return settings.load(path)

    return read


def _words(rules, key):
    return [word for rule in rules if rule.matches(key) for word in rule.words]


def test_general_options_come_first_and_specific_ones_count_more(load):
    rules = load("""
        preset = "dreamy"
        keep-subject-sharp = false
        [[photos]]
        match = "church/"
        f_number = 1.8
        [[photos]]
        match = ["*_group.jpg", "party/*"]
        save = ["mask", "composite"]
        focus = [0.4, 0.3]
    """)
    general = ["--preset=dreamy", "--no-keep-subject-sharp"]
    more = ["--save=mask,composite", "--focus=0.4,0.3"]
    assert _words(rules, "w/a.jpg") == general
    assert _words(rules, "w/church/deep/a_group.jpg") == [*general, "--f-number=1.8", *more]
    assert _words(rules, "party/b.jpg") == [*general, *more]
    assert _words(rules, "party/late/b.jpg") == general


@pytest.mark.parametrize(
    ("pattern", "key", "matches"),
    [
        ("church/", "w/church/a.jpg", True),
        ("church/", "church.jpg", False),
        ("w/church/", "w/church/x/a.jpg", True),
        ("church/", "w/mychurch/a.jpg", False),
        ("c*/", "w/church/a.jpg", True),
        ("*.jpg", "w/church/a.jpg", True),
        ("church/*.jpg", "w/church/a.jpg", True),
        ("church/*.jpg", "w/church/x/a.jpg", False),
        ("church [1]/", "w/church [1]/a.jpg", True),
        ("church [1]/*.jpg", "w/church [1]/a.jpg", True),
        ("church [1]/", "w/church 1/a.jpg", True),
        ("church [1]/", "w/church/a.jpg", False),
        ("/church/", "w/church/a.jpg", False),
    ],
)
def test_patterns(pattern, key, matches):
    assert settings.Rule("", (pattern,), ()).matches(key) == matches


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("preset =", "shoot.toml: "),
        ("photos = 3", r"\[\[photos\]\]"),
        ("[[photos]]\npreset = 'dreamy'", "number 1: match must be"),
        ("[[photos]]\nmatch = []", "match must be"),
        ("[lens]\nblades = 5", "lens must be a number, a text"),
    ],
)
def test_another_shape_is_refused(load, text, complaint):
    with pytest.raises(InputError, match=complaint):
        load(text)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        settings.load(tmp_path / "none.toml")


def test_what_editors_of_windows_write(tmp_path):
    path = tmp_path / "shoot.toml"
    path.write_bytes(b"\xef\xbb\xbfpreset = 'dreamy'\r\n")
    assert settings.load(path)[0].words == ("--preset=dreamy",)
    path.write_bytes("# Straße\n".encode("latin-1"))
    with pytest.raises(InputError, match="no text in UTF-8; save it as that"):
        settings.load(path)


def test_patterns_that_fit_no_photo_are_told(load):
    rules = load("""
        blades = 6
        [[photos]]
        match = ["church", "*.jpg"]
        f-number = 2
    """)
    (told,) = settings.unused(rules, ["w/church/a.jpg"])
    assert "number 1: match 'church' fits no photo" in told
