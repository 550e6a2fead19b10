"""Writes the page that F1 opens in GIMP, from docs/gimp.md: `python -m tests.gimp.help_page`.

It lies beside the plug-in, where a browser finds it without network, and has no pictures.
"""

from __future__ import annotations

import re
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "docs/gimp.md"
PLACE = ROOT / "gimp_plugin/help.html"
HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>Bokeh in GIMP</title>
<style>
body { font: 16px/1.5 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em }
td, th { text-align: left; vertical-align: top; padding: 0.2em 1em 0.2em 0 }
pre { overflow: auto }
</style>
"""


def page() -> str:
    """Return the text of the page."""
    text = re.sub(r"!\[[^]]*\]\([^)]*\)\n*", "", SOURCE.read_text(encoding="utf-8"))
    text = re.sub(r"\nThe pictures on this page .*\n", "\n", text)
    return HEAD + MarkdownIt().enable("table").render(text) + "</html>\n"


if __name__ == "__main__":
    PLACE.write_text(page(), encoding="utf-8")
