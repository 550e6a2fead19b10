"""Ways side by side on the same photos: seconds, memory, agreement with a reference or labels."""

from __future__ import annotations

import math
import multiprocessing
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core.errors import OutOfMemory
from bokeh_core.evaluation import depth_metrics, matte_metrics, render_metrics, ways
from bokeh_core.picture import from_linear, read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bokeh_core.evaluation.ways import Way

Float32 = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
HEIGHT = 220
"""Of a picture on the sheet, in pixels."""


@dataclass(frozen=True, eq=False)
class Photo:
    """What is compared on: a file, and labels where there are any, of any size."""

    path: Path
    mask: Float32 | None = None
    disparity: Float32 | None = None


@dataclass(frozen=True, eq=False)
class Made:
    """What a way made of one photo, and its seconds."""

    matte: Float32
    depth: Float32
    composite: Float32
    matte_s: float
    depth_s: float
    render_s: float
    cpu_s: float
    """Of all cores and all stages; unlike the others hardly changed by other programs."""


@dataclass(frozen=True)
class Row:
    """Means over the photos; NaN where nothing is known.

    `iou`, `boundary` and `rank` are against the labels where there are any, else against the
    reference; `psnr` (dB, of the composites) is always against the reference.
    """

    way: str
    iou: float
    boundary: float
    rank: float
    psnr: float
    matte_s: float
    depth_s: float
    render_s: float
    total_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """The table, and the composites as sRGB bytes: `pictures[way][photo]`."""

    rows: list[Row]
    pictures: list[list[Bytes]]


def compare(
    photos: Sequence[Photo],
    chosen: Sequence[Way],
    *,
    reference: str,
    long_side: int,
    tick: Callable[[float], None],
) -> Comparison:
    """Run every way in a process of its own; the reference is one of them.

    Raises
    ------
    InputError, ModelMissing, ModelCorrupt
        A photo or something that a way names cannot be used.
    OutOfMemory
        A way's process was killed.
    """
    results = {}
    for number, way in enumerate(chosen):
        results[way.name] = _in_a_process(way, [photo.path for photo in photos], long_side)
        tick((number + 1) / len(chosen))
    basis = results[reference][0]
    rows = [_row(way.name, photos, *results[way.name], basis=basis) for way in chosen]
    pictures = [
        [from_linear(np.clip(made.composite, 0, 1), np.uint8) for made in results[way.name][0]]
        for way in chosen
    ]
    return Comparison(rows, pictures)


def as_markdown(rows: Sequence[Row]) -> str:
    """Format the table."""
    head = ["way", "IoU", "boundary", "depth rank", "PSNR"]
    head += ["matte s", "depth s", "render s", "all s", "CPU s", "peak MB"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows:
        quality = [_figure(value, 4) for value in (row.iou, row.boundary, row.rank)]
        cost = [
            _figure(v, 2) for v in (row.matte_s, row.depth_s, row.render_s, row.total_s, row.cpu_s)
        ]
        cells = [row.way, *quality, _figure(row.psnr, 1), *cost, _figure(row.peak_mb, 0)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def as_csv(rows: Sequence[Row]) -> str:
    """Format the table for programs."""
    names = [field.name for field in fields(Row)]
    lines = [",".join(names)]
    lines += [",".join(str(value) for value in asdict(row).values()) for row in rows]
    return "\n".join(lines) + "\n"


def sheet(comparison: Comparison) -> Bytes:
    """Lay the composites out: a row for each photo, a column for each way."""
    names = [row.way for row in comparison.rows]
    lines = [_captions(names, [pictures[0] for pictures in comparison.pictures])]
    lines += [
        np.hstack([_small(picture) for picture in every])
        for every in zip(*comparison.pictures, strict=True)
    ]
    width = max(line.shape[1] for line in lines)
    padded = [np.pad(line, ((0, 4), (0, width - line.shape[1]), (0, 0))) for line in lines]
    return np.ascontiguousarray(np.vstack(padded))


def _in_a_process(way: Way, paths: list[Path], long_side: int) -> tuple[list[Made], float]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:  # memory is of a process, and so is a kill
        try:
            return pool.submit(_measured, way, paths, long_side).result()
        except BrokenProcessPool:
            raise OutOfMemory(
                f"way {way.name}: its process was killed (memory exhausted?)"
            ) from None


def _measured(way: Way, paths: list[Path], long_side: int) -> tuple[list[Made], float]:
    _made(way, paths[0], long_side)  # loads networks and libraries
    made = [_made(way, path, long_side) for path in paths]
    unit = 1 if sys.platform == "darwin" else 1024
    return made, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _made(way: Way, path: Path, long_side: int) -> Made:
    rgb = _photo(path, long_side)
    began, cpu = time.perf_counter(), time.process_time()
    matte = ways.matte_of(way, path, rgb)
    after_matte = time.perf_counter()
    depth = ways.depth_of(way, path, rgb, matte)
    after_depth = time.perf_counter()
    composite = ways.composite_of(way, rgb, matte, depth)
    ended = time.perf_counter()
    seconds = (after_matte - began, after_depth - after_matte, ended - after_depth)
    return Made(matte, depth, composite, *seconds, cpu_s=time.process_time() - cpu)


def _photo(path: Path, long_side: int) -> Float32:
    light = read(path).linear()[..., :3]
    if light.shape[2] == 1:
        light = np.repeat(light, 3, axis=2)
    scale = long_side / max(light.shape[:2])
    if scale < 1:
        size = (round(light.shape[1] * scale), round(light.shape[0] * scale))
        light = np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), np.float32)
    return np.ascontiguousarray(np.maximum(light, 0))


def _row(
    name: str, photos: Sequence[Photo], results: list[Made], peak: float, *, basis: list[Made]
) -> Row:
    scores = [
        _scores(photo, made, other)
        for photo, made, other in zip(photos, results, basis, strict=True)
    ]
    iou, boundary, rank, psnr = (_mean(column) for column in zip(*scores, strict=True))
    parts = [(made.matte_s, made.depth_s, made.render_s) for made in results]
    matte_s, depth_s, render_s = (_mean(column) for column in zip(*parts, strict=True))
    return Row(
        way=name,
        iou=iou,
        boundary=boundary,
        rank=rank,
        psnr=psnr,
        matte_s=matte_s,
        depth_s=depth_s,
        render_s=render_s,
        total_s=matte_s + depth_s + render_s,
        cpu_s=_mean([made.cpu_s for made in results]),
        peak_mb=peak,
    )


def _scores(photo: Photo, made: Made, other: Made) -> tuple[float, float, float, float]:
    wanted = other.matte if photo.mask is None else _fitted(photo.mask, made.matte.shape)
    inside, truth = made.matte > 0.5, wanted > 0.5
    depth = made.depth
    label = other.depth if photo.disparity is None else photo.disparity
    if label.shape != depth.shape:
        size = (label.shape[1], label.shape[0])
        depth = np.asarray(cv2.resize(depth, size, interpolation=cv2.INTER_AREA), np.float32)
    return (
        matte_metrics.iou(inside, truth),
        matte_metrics.boundary_f(inside, truth, 3.0),
        depth_metrics.score(depth, label).rank,
        math.nan if made is other else render_metrics.psnr(made.composite, other.composite),
    )


def _fitted(mask: Float32, shape: tuple[int, ...]) -> Float32:
    if mask.shape == shape:
        return mask
    size = (shape[1], shape[0])
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.float32)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.mean(known)) if known else math.nan


def _figure(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _small(picture: Bytes) -> Bytes:
    width = max(1, round(picture.shape[1] * HEIGHT / picture.shape[0]))
    small = cv2.resize(picture, (width, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(np.pad(small, ((0, 0), (0, 4), (0, 0))), np.uint8)


def _captions(names: Sequence[str], pictures: Sequence[Bytes]) -> Bytes:
    parts: list[npt.NDArray[Any]] = []
    for name, picture in zip(names, pictures, strict=True):
        strip = np.zeros((22, _small(picture).shape[1], 3), np.uint8)
        cv2.putText(
            strip, name, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (230, 230, 230), 1, cv2.LINE_AA
        )
        parts.append(strip)
    return np.hstack(parts)
