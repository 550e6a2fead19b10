"""Look at every picture of a data set once: all that is wrong with it, and what is in it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bokeh_core.training import layouts
from bokeh_core.training.faults import DataFault
from bokeh_core.training.items import partition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from bokeh_core.training.faults import Kind
    from bokeh_core.training.items import Item, Labelled, Split

BARE = 2
"""Codes, of 255, from none and from all that still count as none and as all."""

TWO_VALUED = 0.9
"""Part of a folder's masks without values between, from which on two values are meant."""


@dataclass(frozen=True)
class Fault:
    """One fault of one picture."""

    key: str
    kind: Kind
    text: str


@dataclass(frozen=True)
class Seen:
    """What one picture has; NaN is what it has not."""

    item: Item
    width: int = 0
    """In pixels; 0: it cannot be read."""
    height: int = 0
    cover: float = float("nan")
    """Part of the known pixels that is subject."""
    between: float = float("nan")
    """Part of a soft matte's pixels that is neither none nor all."""
    unknown: float = float("nan")
    """Part of the mask, or of the depth where there is no mask, that is not known."""


@dataclass(frozen=True)
class Report:
    """All faults in the order of the pictures, and what the pictures have."""

    faults: list[Fault]
    seen: list[Seen]


def check(
    root: Path, folders: Sequence[str], tick: Callable[[float], None] = lambda _: None
) -> Report:
    """Read every labelled picture under `root`.

    Parameters
    ----------
    root, folders
        As `layouts.find` takes them.
    tick
        Told the part that is done.

    Raises
    ------
    InputError
        Nothing labelled is found, or a list beside the pictures cannot be read.
    """
    items = layouts.find(root, folders)
    faults: list[Fault] = []
    seen: list[Seen] = []
    with ThreadPoolExecutor(2) as pool:
        for count, (found, one) in enumerate(pool.map(_look, items), 1):
            faults += found
            seen.append(one)
            tick(count / len(items))
    faults += _soft(seen)
    order = {item.key: place for place, item in enumerate(items)}
    return Report(sorted(faults, key=lambda fault: order[fault.key]), seen)


def _look(item: Item) -> tuple[list[Fault], Seen]:
    try:
        found = item.read()
    except DataFault:
        return [Fault(item.key, fault.kind, str(fault)) for fault in item.faults()], Seen(item)
    height, width = found.rgb.shape[:2]
    seen = _masked(found, Seen(item, width, height))
    return [Fault(item.key, "constant", text) for text in _constant(item, found)], seen


def _masked(found: Labelled, seen: Seen) -> Seen:
    if found.mask is None:
        holes = np.nan if found.disparity is None else np.isnan(found.disparity).mean()
        return replace(seen, unknown=float(holes))
    if found.known is not None:
        known = found.known > 0
        cover = found.mask[known].mean() / 255 if known.any() else np.nan
        return replace(seen, cover=float(cover), unknown=float(1 - known.mean()))
    between = (found.mask > BARE) & (found.mask < 255 - BARE)
    return replace(seen, cover=float(found.mask.mean() / 255), between=float(between.mean()))


def _constant(item: Item, found: Labelled) -> list[str]:
    """Word labels that say nothing; a mask of labels may be of nobody, a matte of a subject not."""
    texts = []
    if found.mask is not None and found.known is None and found.mask.min() == found.mask.max():
        texts.append(f"{item.key}: the mask is {found.mask.min()} all over")
    if found.known is not None and not found.known.any():
        texts.append(f"{item.key}: the mask is unknown all over")
    if found.disparity is not None:
        measured = found.disparity[np.isfinite(found.disparity)]
        if measured.size == 0:
            texts.append(f"{item.key}: the depth is unknown all over")
        elif measured.min() == measured.max():
            texts.append(f"{item.key}: the depth is the same all over")
    return texts


def _soft(seen: Sequence[Seen]) -> list[Fault]:
    """Find masks with values between in folders whose masks have two."""
    faults = []
    for folder in {one.item.folder for one in seen}:
        mattes = [one for one in seen if one.item.folder == folder and one.between >= 0]
        soft = [one for one in mattes if one.between > 0]
        if len(mattes) - len(soft) < TWO_VALUED * len(mattes):
            continue
        faults += [
            Fault(
                one.item.key,
                "soft",
                f"{one.item.key}: {one.between:.1%} of the mask is neither none nor all, "
                f"where {len(mattes) - len(soft)} of {len(mattes)} masks beside it are two-valued",
            )
            for one in soft
        ]
    return faults


def as_text(report: Report, split: Split) -> str:
    """Format the report: a table of the folders, counts of the faults, and every fault.

    Raises
    ------
    InputError
        `split` is "published", and no list names a picture.
    """
    lines = _table(report.seen, split)
    counts = Counter(fault.kind for fault in report.faults)
    broken = len({fault.key for fault in report.faults})
    if not counts:
        return "\n".join([*lines, "", "no faults"])
    words = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
    lines += ["", f"faults: {words}; in {broken} of {len(report.seen)} pictures"]
    return "\n".join([*lines, *(f"{fault.kind}\t{fault.text}" for fault in report.faults)])


_HEADS = (
    "folder",
    "pictures",
    "training",
    "validation",
    "test",
    "masks",
    "depths",
    "long side, least to most",
    "subject",
    "unknown",
)


def _table(seen: Sequence[Seen], split: Split) -> list[str]:
    lines = ["| " + " | ".join(_HEADS) + " |", "|---" * len(_HEADS) + "|"]
    parts = {
        item.key: name
        for name, items in partition((one.item for one in seen), split).items()
        for item in items
    }
    for folder in sorted({one.item.folder for one in seen}):
        rows = [one for one in seen if one.item.folder == folder]
        of = Counter(parts[one.item.key] for one in rows)
        labels = Counter(label for one in rows for label in one.item.labels)
        sides = sorted(max(one.width, one.height) for one in rows if one.width)
        cells = [folder, len(rows), of["training"], of["validation"], of["test"]]
        cells += [labels["mask"], labels["depth"], f"{sides[0]} to {sides[-1]}" if sides else "-"]
        cells += [_mean(one.cover for one in rows), _mean(one.unknown for one in rows)]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def _mean(values: Iterable[float]) -> str:
    known = [value for value in values if not np.isnan(value)]
    return f"{np.mean(known):.1%}" if known else "-"
