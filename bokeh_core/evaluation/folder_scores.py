"""Scores of pictures that any program has made: a folder of predictions against one of truths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core.errors import InputError
from bokeh_core.evaluation import depth_metrics, matte_metrics
from bokeh_core.training.items import FileItem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bokeh_core.evaluation.depth_metrics import DepthScore
    from bokeh_core.evaluation.matte_metrics import MatteScore

Float32 = npt.NDArray[np.float32]
SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
ENDINGS = {"portrait": ("_mask", "_matte"), "depth": ("_depth",)}
"""What a name may end with beside the name of the photo."""

SHOWN = 3
"""Names in a complaint."""

PROPORTIONS = 0.02
"""By how much width over height of a prediction may differ from that of its truth."""


def pairs(predictions: Path, truths: Path, task: Literal["portrait", "depth"]) -> list[FileItem]:
    """Pair predictions with truths by name, `NAME.png` or `NAME_mask.png` (`_matte`, `_depth`).

    Returns
    -------
    list of FileItem
        The prediction as the photo, the truth as the label.

    Raises
    ------
    InputError
        A folder has no picture, or a truth no prediction.
    """
    found, wanted = _named(predictions, task), _named(truths, task)
    missing = sorted(set(wanted) - set(found))
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise InputError(
            f"{predictions}: has nothing for {', '.join(missing[:SHOWN])}{more} "
            f"({len(wanted) - len(missing)} of {len(wanted)} truths have a prediction)"
        )
    return [
        FileItem(
            truths.name,
            name,
            photo=found[name],
            mask=truth if task == "portrait" else None,
            depth=truth if task == "depth" else None,
        )
        for name, truth in sorted(wanted.items())
    ]


def rate_mattes(
    items: list[FileItem], tick: Callable[[int], None]
) -> list[tuple[FileItem, MatteScore]]:
    """Score mattes, white = subject; raises InputError."""
    rated = []
    for count, item in enumerate(items, 1):
        assert item.mask is not None
        truth = plane(item.mask)
        rated.append((item, matte_metrics.score(_fitted(item.photo, truth), truth)))
        tick(count)
    return rated


def rate_depths(
    items: list[FileItem], tick: Callable[[int], None]
) -> list[tuple[FileItem, DepthScore]]:
    """Score disparity without a unit, white = near; raises InputError."""
    rated = []
    for count, item in enumerate(items, 1):
        assert item.depth is not None
        truth = plane(item.depth)
        rated.append((item, depth_metrics.score(_fitted(item.photo, truth), truth)))
        tick(count)
    return rated


def save(path: Path, found: Float32) -> None:
    """Write a plane (H, W) in [0, 1] as a 16-bit PNG, with its folder.

    Raises
    ------
    InputError
        It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), (np.clip(found, 0, 1) * 65535).round().astype(np.uint16)):
        raise InputError(f"{path}: cannot be written")


def plane(path: Path) -> Float32:
    """Read a grey picture (H, W) in [0, 1]; of colours the mean. Raises InputError."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise InputError(f"{path}: is no picture that can be read")
    whole = {"uint8": 255, "uint16": 65535}.get(str(pixels.dtype), 1)
    if pixels.ndim == 3:
        pixels = pixels[..., :3].mean(2)
    return np.asarray(pixels / np.float32(whole), np.float32)


def _fitted(path: Path, truth: Float32) -> Float32:
    found = plane(path)
    aspects = [shape[1] / shape[0] for shape in (found.shape, truth.shape)]
    if abs(aspects[0] / aspects[1] - 1) > PROPORTIONS:
        sizes = [f"{shape[1]} x {shape[0]}" for shape in (found.shape, truth.shape)]
        raise InputError(f"{path}: {sizes[0]} has not the proportions of its truth, {sizes[1]}")
    if found.shape == truth.shape:
        return found
    size = (truth.shape[1], truth.shape[0])
    method = cv2.INTER_AREA if found.shape[0] > truth.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(found, size, interpolation=method), np.float32)


def _named(folder: Path, task: str) -> dict[str, Path]:
    """Return the pictures of a folder by the names of their photos, marked ones first."""
    if not folder.is_dir():
        raise InputError(f"{folder}: is no folder")
    plain: dict[str, Path] = {}
    marked: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES:
            continue
        ending = next((end for end in ENDINGS[task] if path.stem.endswith(end)), "")
        (marked if ending else plain)[path.stem.removesuffix(ending)] = path
    if not plain and not marked:
        raise InputError(f"{folder}: has no pictures")
    return marked or plain
