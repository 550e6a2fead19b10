"""Slips that argparse answers with a riddle: what was meant, in one line."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def of(words: Sequence[str]) -> str | None:
    """Return what is wrong with the words of a command before they are parsed; None: nothing."""
    options = words[: words.index("--")] if "--" in words else words
    for word, value, further in zip(options, options[1:], options[2:], strict=False):
        x = value.rstrip(",")
        if word == "--focus" and _is_share(x) and _is_share(further) and not Path(further).exists():
            return f"a point is one word, without a space: --focus {x},{further}"
    for word in options:
        if word.startswith("-") and "." in word and Path(word).is_file():
            return (
                f"{word} begins with a dash, as options do: write .{os.sep}{word}, or put -- before"
                " the names of photos"
            )
    return None


def unknown(args: argparse.Namespace, words: Sequence[str]) -> str:
    """Return the message for words that the parser did not know."""
    if "data" in vars(args) and Path(words[0]).is_dir():
        return f"labelled pictures are named by an option: --data {shlex.quote(words[0])}"
    return f"unrecognized arguments: {' '.join(words)}"


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False
