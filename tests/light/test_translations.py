"""Every word that a user sees is translated, in every language that we promise."""

from __future__ import annotations

import ast
import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.light import words as spoken
from daemon.light.dialog import PAGES, TOP
from daemon.light.errors import DaemonRefused
from daemon.light.parameters import Parameters
from tests.light import translations
from tests.light.translations import (
    LANGUAGES,
    TEMPLATE,
    compiled,
    po,
    read,
    template,
    text_of,
    words,
)

HINT = "run `python -m tests.light.translations` and translate what is empty"


def test_the_template_has_every_word():
    assert TEMPLATE.read_text(encoding="utf-8") == text_of(template()), HINT


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_in_english(language):
    catalogue = read(language)
    missing = [text for text in words() if not (catalogue.get(text) and catalogue.get(text).string)]
    assert missing == [], HINT
    assert not [each.id for each in catalogue if each.id and each.fuzzy]


@pytest.mark.parametrize("language", LANGUAGES)
def test_fields_and_mnemonics_are_kept(language):
    catalogue = read(language)
    for text in words():
        said = catalogue.get(text).string
        assert re.findall(r"{\w+}", said) == re.findall(r"{\w+}", text), text
        assert said.count("_") == text.count("_"), f"{text}: {said}"


def shown_in(module):
    """The words of one of GIMP's modules that have a mnemonic."""
    path = translations.ROOT / f"gimp_plugin/{module}.py"
    marked = translations.marked(ast.parse(path.read_text(encoding="utf-8")))
    return [text for text in marked if "_" in text]


# What GIMP's own translation gives Reset, OK, Cancel, Load and Save. GIMP also warns, in a
# terminal, of letters that two pages share; there are more words than letters, and a page that is
# not shown takes no keys.
GIMPS = {"en": "rocls", "de": "zocgs", "es": "racg", "fr": "rvncs", "ja": "rocls"}
WINDOWS = {"menu": ("procedures",), "settings": ("status_window", "settings_box")}


@pytest.mark.parametrize("language", GIMPS)
def test_no_two_things_seen_at_once_share_a_mnemonic(language):
    folder = translations.ROOT / "gimp_plugin"
    modules = {path.relative_to(folder).with_suffix("") for path in folder.rglob("*.py")}
    modules -= {Path(module) for parts in WINDOWS.values() for module in parts}
    buttons = [text for module in modules for text in shown_in(module)]
    labels = {field.name: field.metadata["label"] for field in dataclasses.fields(Parameters)}
    together = {
        window: [text for module in parts for text in shown_in(module)]
        for window, parts in WINDOWS.items()
    }
    for page, names in PAGES.items():
        together[page] = [*buttons, *(labels[name] for name in (*TOP, *names))]
    for where, texts in together.items():
        said = texts if language == "en" else [read(language).get(text).string for text in texts]
        letters = [each[each.index("_") + 1].lower() for each in said]
        if where in PAGES:
            letters += set(GIMPS[language])
        assert len(set(letters)) == len(letters) > 1, (where, said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_entry_that_everybody_needs_comes_first_in_the_menu(language):
    labels = shown_in("procedures")
    assert set(labels) <= set(words())
    said = {read(language).get(label).string.replace("_", ""): label for label in labels}
    assert said[min(said, key=str.casefold)] == "_Portrait Bokeh..."


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language):
    made = po(language).with_suffix(".mo").read_bytes()
    assert made == compiled(read(language)), HINT


@pytest.mark.parametrize(
    ("language", "said"), [("de_DE.UTF-8", "Tiefe"), ("fr", "Profondeur"), ("nl", "Depth")]
)
def test_the_language_is_that_of_the_process(language, said):
    code = "from daemon.light.words import tr; print(ascii(tr('Depth')))"
    env = {**os.environ, "LANGUAGE": language}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)
    assert done.stdout.decode().strip() == ascii(said)


@pytest.mark.parametrize(
    ("liked", "said"),
    [
        (["de_CH", "fr"], "Tiefe"),
        (["nl", "fr_FR"], "Profondeur"),
        (["en_GB", "de"], "Depth"),
        (["C"], "Depth"),
        ([], "Depth"),
    ],
)
def test_an_editor_can_name_the_language(monkeypatch, liked, said):
    monkeypatch.setenv("LANGUAGE", "es")
    monkeypatch.setattr(spoken, "_liked", {})
    spoken.speak(liked)
    try:
        assert spoken.tr("Depth") == said
    finally:
        spoken._catalogue.cache_clear()


def test_what_the_daemon_refuses_is_told_in_the_users_language_too(monkeypatch):
    monkeypatch.setattr(spoken, "_liked", {})
    english = str(DaemonRefused("out_of_memory", "no room for 3 tiles", "Close other programs."))
    assert english == "No room for 3 tiles. Close other programs."
    spoken.speak(["de"])
    try:
        german = str(DaemonRefused("out_of_memory", "no room for 3 tiles", "Close other programs."))
        assert german.startswith("Der Speicher reicht nicht.")
        assert german.endswith(f"({english})")
        assert str(DaemonRefused("bad_request", "no", "Do.")) == "No. Do."
    finally:
        spoken._catalogue.cache_clear()


def test_what_is_new_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(translations, "LOCALE", tmp_path)
    monkeypatch.setattr(translations, "TEMPLATE", tmp_path / "defocus.pot")
    monkeypatch.setattr(translations, "words", lambda: ["Mask", "Something new"])
    translations.main()
    assert not read("de").get("Something new").string
