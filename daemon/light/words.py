"""The user's words in his own language: gettext's domain `defocus`, the same for every editor.

The language is that of the process (`LANGUAGE`, `LC_ALL`, `LC_MESSAGES`, `LANG`), unless the editor
names another (`speak`); what nobody has translated stays English. Names of settings and stages are
kept in English where they are written down and translated where they are shown.
"""

from __future__ import annotations

import functools
import gettext
import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DOMAIN = "defocus"
LOCALE = Path(__file__).resolve().parent / "locale"
ENGLISH = re.compile("(en|C|POSIX)([^a-z]|$)")


def tr(text: str) -> str:
    """Translate a text; one with fields in braces is filled in afterwards."""
    return _catalogue().gettext(text) if text else ""


def speak(languages: Iterable[str]) -> None:
    """Choose the language of all that is said from now on.

    Parameters
    ----------
    languages
        Such as `de_CH` or `de`, the one that the user likes best first. What comes after English is
        not asked for: English needs no translation.
    """
    _liked["editor"] = list(itertools.takewhile(lambda each: not ENGLISH.match(each), languages))
    _catalogue.cache_clear()


_liked: dict[str, list[str]] = {}


@functools.lru_cache
def _catalogue() -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE, _liked.get("editor"), fallback=True)
