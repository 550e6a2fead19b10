"""Lists that came with the data: which pictures were trained on, and which were scored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bokeh_core.errors import InputError
from bokeh_core.training.masks import needed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bokeh_core.training.items import Part

_WORDS: dict[str, Part] = {
    "train": "training",
    "training": "training",
    "val": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""Names of folders, and of lists `NAME.txt`, that tell a part."""


def of_names(folder: Path) -> Callable[[str], Part | None]:
    """Read `train.txt`, `validation.txt` (`val.txt`) and `test.txt`, a picture's name a line.

    A folder called `training`, `validation`, `testing` or the like is that part as a whole.

    Returns
    -------
    callable
        Gives the part of a picture by its name; None: no list names it.

    Raises
    ------
    InputError
        A list cannot be read.
    """
    whole = _WORDS.get(folder.name.lower())
    found: dict[str, Part] = {}
    for word, part in _WORDS.items():
        file = folder / f"{word}.txt"
        if not file.is_file():
            continue
        try:
            lines = file.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read the list {file}: {error}") from None
        for line in filter(None, map(str.strip, lines)):
            found[_stem(line)] = part
    return lambda name: found.get(name, whole)


def _stem(line: str) -> str:
    name = line.rpartition("/")[2]
    stem, dot, ending = name.rpartition(".")
    return stem if dot and ending.isalnum() else name


def of_pfcn(folder: Path) -> dict[str, Part]:
    """Read `trainlist.mat` and `testlist.mat`: numbers of pictures (Shen et al. 2016).

    Raises
    ------
    InputError
        A list cannot be read.
    """
    found: dict[str, Part] = {}
    lists: tuple[tuple[str, Part], ...] = (("trainlist", "training"), ("testlist", "test"))
    for name, part in lists:
        for number in _numbers(folder / f"{name}.mat", name):
            found[f"{number:05d}"] = part
    return found


def of_nyu(folder: Path) -> dict[int, Part]:
    """Read the official `splits.mat`: frames counted from 1, here from 0 (Silberman et al. 2012).

    Raises
    ------
    InputError
        It cannot be read.
    """
    found: dict[int, Part] = {}
    lists: tuple[tuple[str, Part], ...] = (("trainNdxs", "training"), ("testNdxs", "test"))
    for name, part in lists:
        for number in _numbers(folder / "splits.mat", name):
            found[number - 1] = part
    return found


def _numbers(file: Path, name: str) -> list[int]:
    """Read whole numbers out of a MATLAB file; none when there is no such file."""
    if not file.is_file():
        return []
    scipy_io = needed("scipy.io")
    try:
        return [int(number) for number in np.ravel(scipy_io.loadmat(file)[name])]
    except Exception as error:  # scipy's errors share no base
        raise InputError(f"cannot read the list {name} of {file}: {error}") from error
