"""The documentation site: `python -m sphinx -W docs OUT`, from these pages and the docstrings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import bokeh_core

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "defocus"
version = release = bokeh_core.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"defocus {release}"
myst_heading_anchors = 3
default_role = "code"  # single backticks in docstrings
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"  # the docstrings say shapes, ranges and units
autodoc_preserve_defaults = True  # as written, no addresses of objects
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"

HERE = Path(__file__).parent
LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#]+)\)")


def name_what_is_no_page(_app: Sphinx, page: str, source: list[str]) -> None:
    """Turn links to files of the sources, which are not on the site, into their names."""

    def named(link: re.Match[str]) -> str:
        place = (HERE / page).parent.joinpath(link[2]).resolve()
        if place.is_relative_to(HERE):
            return link[0]
        return f"{link[1]} (`{place.relative_to(HERE.parent).as_posix()}`)"

    source[0] = LINK.sub(named, source[0])


def setup(app: Sphinx) -> None:
    """Connect the change to the reading of pages."""
    app.connect("source-read", name_what_is_no_page)
