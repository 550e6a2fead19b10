"""Labels that stay far from what a trained network finds: a list of pictures, one a line.

Late in a training most of what is left of such differences are wrong labels. The list can be looked
through and shortened before a training sets the masks of its pictures to unknown.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bokeh_core.errors import InputError
from bokeh_core.training.items import FileItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bokeh_core.evaluation.matte_metrics import MatteScore
    from bokeh_core.training.items import Item

FAR = 0.3
"""Overlap of people or animals with their label below which it is suspect."""

_COMMENT = re.compile(r"(?:^|\s)#.*")


def write(rated: Iterable[tuple[Item, MatteScore]], path: Path) -> int:
    """List the pictures whose label is suspect, the reason behind each; return how many.

    A picture of nobody in which somebody was found is one of them.
    """
    lines = [
        f"{item.key}\tpeople {score.iou:.2f}, animals {score.animals:.2f}, alarm {score.alarm:.0f}"
        for item, score in rated
        if score.iou < FAR or score.animals < FAR or score.alarm > 0
    ]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)


def read(path: Path) -> frozenset[str]:
    """Read the pictures of a list: what stands before a tab; without one, before a comment.

    A line that # begins is a comment. Names may hold spaces.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the list {path}: {error}") from None
    return frozenset(name for line in lines if (name := _name(line)))


def _name(line: str) -> str:
    name, tab, _ = line.partition("\t")
    return (name if tab and not name.startswith("#") else _COMMENT.sub("", name)).strip()


def without_masks(items: Sequence[Item], listed: frozenset[str]) -> list[Item]:
    """Take the masks of the listed pictures away, so that their depth alone is learnt.

    Raises
    ------
    InputError
        A listed picture is not among the items.
    """
    absent = listed - {item.key for item in items}
    if absent:
        raise InputError(f"{min(absent)} is on the list of unknown masks, but not in the data")
    return [
        replace(item, mask=None) if isinstance(item, FileItem) and item.key in listed else item
        for item in items
    ]
