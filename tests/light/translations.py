"""Gathers the words that users see, and brings every translation up to date.

    python -m tests.light.translations

writes the template `daemon/light/locale/defocus.pot`, takes new words into each `defocus.po` beside
it (empty: to be translated) and compiles what is there.
"""

from __future__ import annotations

import ast
import dataclasses
import datetime as dt
import io
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from bokeh_core.picture.inside.edited import CHANGED
from bokeh_core.picture.inside.maps import OWN_DEPTH, OWN_MATTE
from bokeh_core.subjects import ANIMAL, DOUBTFUL, NO_ANIMAL, NOBODY, SMALL
from daemon.light.dialog import PAGES, VIEWS
from daemon.light.parameters import Parameters
from daemon.light.stages import WORDS
from daemon.light.strokes import TOOLS
from daemon.light.words import DOMAIN, LOCALE

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
LANGUAGES = ("de", "es", "fr", "ja")
TEMPLATE = LOCALE / f"{DOMAIN}.pot"
DAY = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
NOTES = (
    *(f"{note}{how}" for note in (NOBODY, NO_ANIMAL) for how in ("", ": focused by depth")),
    *(ANIMAL, DOUBTFUL, SMALL, OWN_DEPTH, OWN_MATTE, CHANGED),
)
"""What the daemon may say of the subject and of the photo's file."""


def words() -> list[str]:
    """Return every text once, in the order in which a reader of the code meets it."""
    found = [*_settings(), *_shown()]
    for folder in ("daemon/light", "gimp_plugin", "krita_plugin"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found += marked(ast.parse(path.read_text(encoding="utf-8")))
    return list(dict.fromkeys(text for text in found if text))


def _settings() -> Iterator[str]:
    for field in dataclasses.fields(Parameters):
        yield field.metadata["label"]
        yield field.metadata["help"]
        yield from field.metadata.get("choices", {}).values()


def _shown() -> Iterator[str]:
    yield from (label for _, label in VIEWS)
    yield from PAGES
    yield from WORDS.values()
    for label, hint, *_ in TOOLS.values():
        yield from (label, hint)
    for note in NOTES:
        yield f"{note[:1].upper()}{note[1:]}."


def marked(tree: ast.AST) -> Iterator[str]:
    """Find what is given to `tr`, the words of a menu's entries, and tables named `WORDS`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            given = {"tr": node.args[:1], "label": node.args[:1], "Entry": node.args[1:3]}.get(
                node.func.id, []
            )
            yield from (each.value for each in given if isinstance(each, ast.Constant))
        table = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "WORDS"
        if table and isinstance(node.value, ast.Tuple):
            yield from ast.literal_eval(node.value)
        if table and isinstance(node.value, ast.Dict):
            yield from (each.value for each in node.value.values if isinstance(each, ast.Constant))


def po(language: str) -> Path:
    """Return where a translation is."""
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def template() -> Catalog:
    """Return all words, untranslated."""
    made = Catalog(project="defocus", fuzzy=False, creation_date=None, charset="utf-8")
    for text in words():
        made.add(text)
    return made


def text_of(catalogue: Catalog) -> str:
    """Return a catalogue as text, without what changes from day to day."""
    out = io.BytesIO()
    write_po(out, catalogue, width=100, omit_header=False, ignore_obsolete=True)
    lines = out.getvalue().decode().splitlines()
    dated = ('"POT-Creation-Date', '"PO-Revision-Date', '"Generated-By', "# FIRST", "# Copyright")
    return "\n".join(line for line in lines if not line.startswith(dated)) + "\n"


def read(language: str) -> Catalog:
    """Read a translation; an empty one where there is none."""
    place = po(language)
    if not place.exists():
        return Catalog(locale=language)
    with place.open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalogue: Catalog) -> bytes:
    """Return what gettext reads: the same for the same words, on every day."""
    catalogue.creation_date = catalogue.revision_date = DAY
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def main() -> None:
    """Write the template, and bring the translations up to date."""
    LOCALE.mkdir(exist_ok=True)
    fresh = template()
    TEMPLATE.write_text(text_of(fresh), encoding="utf-8")
    for language in LANGUAGES:
        old, made = read(language), Catalog(locale=language, project="defocus", fuzzy=False)
        for text in words():
            known = old.get(text)
            made.add(text, known.string if known else "")
        place = po(language)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text_of(made), encoding="utf-8")
        place.with_suffix(".mo").write_bytes(compiled(read(language)))


if __name__ == "__main__":
    main()
