"""The settings file of a batch: options for all pictures, and others by folder or name (TOML)."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from bokeh_core.errors import InputError
from daemon.batch import texts

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

TABLE = "photos"


@dataclass(frozen=True)
class Rule:
    """Options for the pictures that a pattern matches; none: for all.

    Attributes
    ----------
    where
        What to call this part of the file in an error.
    patterns
        `folder/` means everything below a folder of that name; a pattern with slashes is compared
        with the end of the key, one without with the file's name.
    words
        The options as on the command line.
    """

    where: str
    patterns: tuple[str, ...]
    words: tuple[str, ...]

    def matches(self, key: str) -> bool:
        """Tell whether the rule is for this picture."""
        return not self.patterns or any(_matches(pattern, key) for pattern in self.patterns)


def load(path: Path) -> tuple[Rule, ...]:
    """Read a settings file; later rules come before earlier ones when both match.

    Raises
    ------
    InputError
        It cannot be read, or its shape is not the one described in `docs/batch.md`.
    """
    try:
        content = tomllib.loads(texts.read(path))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: {error}") from None
    tables = content.pop(TABLE, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise InputError(f"{path}: {TABLE} must be tables, each begun by [[{TABLE}]]")
    rules = [Rule(str(path), (), _words(str(path), content))]
    for number, table in enumerate(tables, 1):
        where = f"{path}, [[{TABLE}]] number {number}"
        rules.append(Rule(where, _patterns(where, table.pop("match", None)), _words(where, table)))
    return tuple(rules)


def unused(rules: Iterable[Rule], keys: Sequence[str]) -> list[str]:
    """Say which patterns are for none of these pictures: most likely they are misspelt."""
    return [
        f"{rule.where}: match {pattern!r} fits no photo"
        for rule in rules
        for pattern in rule.patterns
        if not any(_matches(pattern, key) for key in keys)
    ]


def _patterns(where: str, given: Any) -> tuple[str, ...]:
    patterns = [given] if isinstance(given, str) else given
    if not isinstance(patterns, list) or not patterns or not all(_is_text(p) for p in patterns):
        raise InputError(f'{where}: match must be a pattern or a list of them, as "church/*"')
    return tuple(patterns)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _words(where: str, table: dict[str, Any]) -> tuple[str, ...]:
    words: list[str] = []
    for name, value in table.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        elif isinstance(value, str | int | float):
            words.append(f"--{option}={value}")
        elif isinstance(value, list) and all(isinstance(v, str | int | float) for v in value):
            words.append(f"--{option}=" + ",".join(str(each) for each in value))
        else:
            raise InputError(f"{where}: {name} must be a number, a text, a list or true or false")
    return tuple(words)


def _matches(pattern: str, key: str) -> bool:
    path = PurePosixPath(key)
    if pattern.endswith("/"):
        wanted = PurePosixPath(pattern)
        return any(_fits(wanted, folder) for folder in path.parents if folder.name)
    return _fits(PurePosixPath(pattern), path)


def _fits(pattern: PurePosixPath, path: PurePosixPath) -> bool:
    """Compare the ends of paths; a name fits itself, also with brackets in it as in `a [1]`."""
    names, patterns = path.parts[::-1], pattern.parts[::-1]
    return len(names) >= len(patterns) and all(
        name == each or fnmatchcase(name, each) for name, each in zip(names, patterns, strict=False)
    )
