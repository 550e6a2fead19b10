"""Scores on labelled pictures: one table per folder, and sheets of the worst pictures."""

from __future__ import annotations

import csv
import math
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core.errors import InputError
from bokeh_core.evaluation import depth_metrics, matte_metrics
from bokeh_core.evaluation.depth_metrics import DepthScore
from bokeh_core.evaluation.matte_metrics import MatteScore
from bokeh_core.networks.inference import check_photo
from bokeh_core.picture.transfer import to_linear

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from bokeh_core.training.items import Item, Labelled

Float32 = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Score = TypeVar("Score", MatteScore, DepthScore)


@dataclass(frozen=True, eq=False)
class Mattes:
    """What a network found in a photo; each (H, W) in [0, 1]."""

    people: Float32
    animals: Float32


@dataclass(frozen=True)
class Row:
    """Mean scores of one folder; `worst` is the mean of the lowest 5 % of the leading score.

    A mean is over the pictures that have the score, and NaN where none has.
    """

    folder: str
    pictures: int
    worst: float
    means: dict[str, float]


def rate_mattes(
    items: Iterable[Item],
    estimate: Callable[[Float32, bool], Mattes],
    tick: Callable[[int], None],
    keep: Callable[[Item, Float32], None] = lambda _item, _found: None,
) -> list[tuple[Item, MatteScore]]:
    """Score `estimate(linear rgb, everybody)` on every item that has a mask.

    Parameters
    ----------
    items, tick
        What to score; `tick` is told how many are done.
    estimate
        `everybody`: the mask is one of labels, which hold everybody and animals; else a soft matte
        of those the photo is of.
    keep
        Is given every item and what was found of people, (H, W).

    Raises
    ------
    InputError
        A picture cannot be read or worked on; it is named.
    """
    rated = []
    for count, item in enumerate(items, 1):
        found = item.read()
        if found.mask is not None:
            labels = found.known is not None
            mattes = estimate(_photo(item, found), labels)
            keep(item, mattes.people)
            rated.append((item, score_of(found, mattes)))
        tick(count)
    return rated


def score_of(found: Labelled, mattes: Mattes) -> MatteScore:
    """Score people, and animals where the picture has any, against the picture's mask."""
    assert found.mask is not None
    known = None if found.known is None else found.known > 0
    scored = matte_metrics.score(mattes.people, _fraction(found.mask), known=known)
    if found.animals is None or known is None or not (animals := found.animals > 0).any():
        return scored
    return replace(scored, animals=matte_metrics.iou((mattes.animals > 0.5) & known, animals))


def rate_depths(
    items: Iterable[Item],
    estimate: Callable[[Float32], Float32],
    tick: Callable[[int], None],
    keep: Callable[[Item, Float32], None] = lambda _item, _found: None,
) -> list[tuple[Item, DepthScore]]:
    """Score `estimate(linear rgb) -> disparity` on every item that has a depth label.

    `keep` is given every item and the disparity that was found, (H, W).

    Raises
    ------
    InputError
        A picture cannot be read or worked on; it is named.
    """
    rated = []
    for count, item in enumerate(items, 1):
        found = item.read()
        if found.disparity is not None:
            size = (found.disparity.shape[1], found.disparity.shape[0])
            estimated = estimate(_photo(item, found))
            keep(item, estimated)
            small = cv2.resize(estimated, size, interpolation=cv2.INTER_AREA)
            mask = None if found.mask is None else _subject(found.mask, found.known, size)
            score = depth_metrics.score(_plane(small), found.disparity, mask, metric=found.metric)
            rated.append((item, score))
        tick(count)
    return rated


def table(rated: Sequence[tuple[Item, Score]]) -> list[Row]:
    """Mean scores per folder, in the order of the folders' names."""
    rows = []
    for folder in sorted({item.folder for item, _ in rated}):
        scores = [asdict(one) for item, one in rated if item.folder == folder]
        names = list(scores[0])
        means = {name: _known_mean([s[name] for s in scores]) for name in names}
        leading = sorted(s[names[0]] for s in scores if not math.isnan(s[names[0]]))
        lowest = leading[: max(round(len(leading) * 0.05), 1)]
        rows.append(Row(folder, len(scores), _known_mean(lowest), means))
    return rows


def as_markdown(rows: Sequence[Row]) -> str:
    """Format the table for a terminal and a document alike; a dash for what no picture has."""
    names = list(rows[0].means)
    head = ["folder", "pictures", names[0], "worst 5 %", *names[1:]]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows:
        first, *others = (_cell(row.means[name]) for name in names)
        cells = [row.folder, str(row.pictures), first, _cell(row.worst), *others]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"


def write_csv(rated: Sequence[tuple[Item, MatteScore | DepthScore]], path: Path) -> None:
    """Write one line per picture."""
    names: list[str] = [field.name for field in fields(rated[0][1])]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["picture", *names])
        for pair in rated:
            writer.writerow([pair[0].key, *asdict(pair[1]).values()])


def worst(rated: Sequence[tuple[Item, Score]], count: int = 10) -> list[tuple[Item, Score]]:
    """Return the `count` pictures with the lowest leading score, worst first."""
    leading = fields(rated[0][1])[0].name
    scored = [pair for pair in rated if not math.isnan(getattr(pair[1], leading))]
    return sorted(scored, key=lambda pair: float(getattr(pair[1], leading)))[:count]


def sheet(
    found: Labelled, truth: Float32, estimated: Float32, height: int = 480
) -> npt.NDArray[Any]:
    """Photo, truth and estimate side by side as BGR uint8, ready to be written."""
    columns = [cv2.cvtColor(found.rgb, cv2.COLOR_RGB2BGR)]
    for plane in (truth, estimated):
        grey = (np.clip(plane, 0, 1) * 255).round().astype(np.uint8)
        columns.append(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))
    width = round(height * found.rgb.shape[1] / found.rgb.shape[0])
    return np.hstack([cv2.resize(c, (width, height)) for c in columns])


def _photo(item: Item, found: Labelled) -> Float32:
    try:
        return check_photo(to_linear(found.rgb))
    except InputError as error:
        raise InputError(f"{item.key}: {error}") from None


def _known_mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


def _fraction(mask: npt.NDArray[np.uint8]) -> Float32:
    return np.asarray(mask / np.float32(255), np.float32)


def _subject(mask: Bytes, known: Bytes | None, size: tuple[int, int]) -> Float32:
    """Return the subject at the label's size; .5, neither in nor out, where it is unknown."""
    planes = (_fraction(mask), _fraction(mask if known is None else known))
    small, sure = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes)
    return _plane(small if known is None else np.where(sure > 0.99, small, np.float32(0.5)))


def _plane(x: npt.NDArray[Any]) -> Float32:
    return np.asarray(x, np.float32)
