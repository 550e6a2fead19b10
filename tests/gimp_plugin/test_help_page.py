"""The page that F1 opens is the user's page of the documentation."""

from __future__ import annotations

from tests.gimp import help_page


def test_the_page_is_as_written_from_the_documentation():
    written = help_page.PLACE.read_text(encoding="utf-8")
    assert written == help_page.page(), "run `python -m tests.gimp.help_page`"


def test_nothing_on_the_page_needs_a_file_beside_it():
    page = help_page.page()
    assert "<img" not in page
    assert "<table>" in page
