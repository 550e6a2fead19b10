"""Labels on disk: soft mattes or labels, depth relative or measured; `labels.json` tells which."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from bokeh_core import extras
from bokeh_core.errors import InputError, ModelMissing
from bokeh_core.limits import ROUNDING
from bokeh_core.picture import from_linear
from bokeh_core.training.faults import DataFault

if TYPE_CHECKING:
    from pathlib import Path

Bytes = npt.NDArray[np.uint8]

FAINT = 16
"""A mask that has something in it, but nothing as bright as this, is of another scale (0 and 1)."""

LABELS = "labels.json"
"""File beside the pictures that says what the values of their masks mean."""

UNITS = ("relative", "disparity", "millimetres")
"""Of depth: nearness without a unit, known everywhere; the same, but 0 is not measured; distances
of 16 bits, 0 is not measured."""

TEN_METRES = "ten metres"
"""Distances as the lists of `nyu2_train.csv` have them: of 8 bits, 255 = 10 m; or millimetres."""

METRIC = ("millimetres", TEN_METRES)
"""Units that give metres."""

MEANINGS = ("person", "animal", "unknown", "neither")


@dataclass(frozen=True)
class Meanings:
    """What each value, 0 to 255, of a folder's masks means, as pairs of value and meaning."""

    values: tuple[tuple[int, str], ...]

    def planes(self, path: Path, rgb: Bytes) -> tuple[Bytes, Bytes, Bytes]:
        """Read a mask of labels.

        Returns
        -------
        people, animals, known : ndarray (H, W), uint8
            255 where so, else 0; of the size of `rgb` (H, W, 3).

        Raises
        ------
        DataFault
            It cannot be read, is of other proportions, or holds a value without a meaning.
        """
        codes = np.asarray(image(path, cv2.IMREAD_GRAYSCALE), np.uint8)
        strange = set(np.unique(codes).tolist()) - {value for value, _ in self.values}
        if strange:
            raise DataFault(
                "unknown value", f"{path}: {LABELS} does not say what {min(strange)} means"
            )
        codes = fitted(codes, rgb, f"{path} on its photo", exact=True)
        people, animals, unknown = (self._where(codes, name) for name in MEANINGS[:3])
        return people, animals, np.asarray(255 - unknown, np.uint8)

    def _where(self, codes: Bytes, meaning: str) -> Bytes:
        values = [value for value, name in self.values if name == meaning]
        return np.asarray(np.isin(codes, values) * np.uint8(255), np.uint8)


@dataclass(frozen=True)
class Convention:
    """How a folder's labels are to be read."""

    mask: Meanings | None = None
    """None: masks are soft mattes of the subject."""
    depth: str = UNITS[0]
    """One of `UNITS`."""


USUAL = Convention()


def convention(folder: Path) -> Convention:
    """Read the folder's `labels.json`; the usual convention when there is none.

    Raises
    ------
    InputError
        The file does not hold `"mask": {"VALUE": "MEANING", ...}` with values 0 to 255 and meanings
        of `MEANINGS`, or `"depth"` with one of `UNITS`, or neither.
    """
    path = folder / LABELS
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        told = found.get("mask")
        values = () if told is None else tuple((int(value), str(told[value])) for value in told)
        unit = str(found.get("depth", UNITS[0]))
    except FileNotFoundError:
        return USUAL
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path} does not say what the labels mean: {error}") from None
    if not found.keys() & {"mask", "depth"}:
        raise InputError(f'{path} says nothing of "mask" or "depth"')
    if unit not in UNITS:
        raise InputError(f"{path}: depth is {unit!r}; it can be {', '.join(UNITS)}")
    return Convention(None if told is None else _checked(path, values), unit)


def _checked(path: Path, values: tuple[tuple[int, str], ...]) -> Meanings:
    for value, name in values:
        if not 0 <= value <= 255 or name not in MEANINGS:
            raise InputError(
                f"{path}: {value} is {name!r}; values are 0 to 255, meanings {', '.join(MEANINGS)}"
            )
    return Meanings(values)


def image(path: Path, flags: int) -> npt.NDArray[Any]:
    """Read a picture with OpenCV's `flags`; DataFault when it cannot be read or is cut off.

    OpenCV makes no bytes of float TIFFs, as `defocus dataset --linear` writes them: we do.
    """
    try:
        maybe_float = path.suffix.lower() in (".tif", ".tiff")
        found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED if maybe_float else flags)
        if maybe_float and found is not None:
            is_float = found.dtype == np.float32
            found = _of_floats(found, flags) if is_float else cv2.imread(str(path), flags)
    except cv2.error:  # a header that claims more pixels than OpenCV takes
        found = None
    if found is None:
        raise DataFault("unreadable", f"cannot read {path} as a picture")
    if path.suffix.lower() in (".jpg", ".jpeg"):
        _check_whole(path)
    return np.asarray(found)


def _of_floats(values: npt.NDArray[Any], flags: int) -> npt.NDArray[Any]:
    """Bring linear light, or a map from 0 to 1, to what OpenCV's flags ask for."""
    if flags == cv2.IMREAD_UNCHANGED:
        return values
    within = np.nan_to_num(np.clip(values, 0, 1))
    if flags == cv2.IMREAD_GRAYSCALE:
        grey = within if within.ndim == 2 else within[..., 0]
        return np.asarray((grey * 255).round(), np.uint8)
    colours = within[..., :3] if within.ndim == 3 else np.dstack([within] * 3)
    return from_linear(np.asarray(colours, np.float32), np.uint8)


def _check_whole(jpeg: Path) -> None:
    """Refuse a JPEG that was cut off: OpenCV fills what is missing with grey and says nothing."""
    try:
        with Image.open(jpeg) as picture:
            picture.load()
    except OSError as error:
        raise DataFault("unreadable", f"cannot read {jpeg} as a picture: {error}") from None


def mask(path: Path) -> Bytes:
    """Read a soft matte, or PFCN's .mat; DataFault when it is none."""
    if path.suffix == ".mat":
        scipy_io = needed("scipy.io")
        try:
            inside = np.asarray(scipy_io.loadmat(path)["mask"]) > 0
        except Exception as error:  # scipy's errors share no base
            raise DataFault("unreadable", f"cannot read {path} as a mask: {error}") from error
        return np.asarray(inside * np.uint8(255), np.uint8)
    soft = np.asarray(image(path, cv2.IMREAD_GRAYSCALE), np.uint8)
    if 0 < soft.max() < FAINT:
        raise DataFault(
            "scale",
            f"{path}: a mask has 255 where the subject is, this one has {soft.max()} at most",
        )
    if soft.min() == soft.max() and _shape_in_alpha(path):
        raise DataFault(
            "alpha only", f"{path}: the mask is in the alpha channel only: save it as plain grey"
        )
    return soft


def _shape_in_alpha(path: Path) -> bool:
    codes = image(path, cv2.IMREAD_UNCHANGED)
    alpha = codes[..., 3] if codes.ndim == 3 and codes.shape[2] == 4 else codes.ravel()[:1]
    return bool(alpha.min() < alpha.max())


def disparity(path: Path, unit: str) -> npt.NDArray[np.float32]:
    """Read a depth label as inverse depth, larger = nearer; NaN where it was not measured.

    Raises
    ------
    DataFault
        It cannot be read, or is of other bits than its unit has.
    """
    codes = image(path, cv2.IMREAD_UNCHANGED)
    if codes.dtype == np.float32 and unit == "relative":
        return _nearness(path, codes)
    bits = (np.uint16,) if unit == "millimetres" else (np.uint8, np.uint16)
    if codes.dtype not in bits:
        wanted = " or ".join(str(np.dtype(kind).itemsize * 8) for kind in bits)
        raise DataFault("bits", f"{path} must be of {wanted} bits, got {codes.dtype}")
    codes = codes[..., 0] if codes.ndim == 3 else codes
    values = np.asarray(codes, np.float32)
    if unit == "relative":
        return np.asarray(values / np.float32(np.iinfo(codes.dtype).max), np.float32)
    measured = np.where(codes > 0, values, np.float32(np.nan))
    if unit in METRIC:
        one_metre = np.float32(25.5 if codes.dtype == np.uint8 else 1000)
        return np.asarray(one_metre / measured, np.float32)
    return np.asarray(measured / np.float32(np.iinfo(codes.dtype).max), np.float32)


def _nearness(path: Path, values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Take floats for nearness only within 0 to 1: others may well be distances."""
    known = values[~np.isnan(values)]
    if known.size and (known.min() < -ROUNDING or known.max() > 1 + ROUNDING):
        raise DataFault(
            "bits", f"{path} must be of 8 or 16 bits, or of floats from 0 far to 1 near"
        )
    return np.asarray(np.clip(values[..., 0] if values.ndim == 3 else values, 0, 1), np.float32)


def fitted(mask: Bytes, rgb: Bytes, names: str, *, exact: bool = False) -> Bytes:
    """Bring a mask to its photo's size; DataFault unless the proportions agree to a pixel.

    `exact` keeps values as they are, for labels.
    """
    tall, wide = rgb.shape[:2]
    if mask.shape == (tall, wide):
        return mask
    check_proportions(mask, rgb, names, "mask")
    method = cv2.INTER_AREA if wide < mask.shape[1] else cv2.INTER_LINEAR
    method = cv2.INTER_NEAREST if exact else method
    return np.asarray(cv2.resize(mask, (wide, tall), interpolation=method), np.uint8)


def check_proportions(label: npt.NDArray[Any], rgb: Bytes, names: str, what: str) -> None:
    """Refuse a label whose proportions differ from its photo's by more than a pixel."""
    (height, width), (tall, wide) = label.shape, rgb.shape[:2]
    if abs(height * wide - width * tall) > max(height, width, tall, wide):
        raise DataFault(
            "proportions",
            f"{names}: a {what} of {width} x {height} for a photo of {wide} x {tall}",
        )


def needed(module: str) -> Any:
    """Import what only some layouts need; ModelMissing says how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise ModelMissing(
            f"{package} is needed for this data: {extras.how_to_get('train')}"
        ) from None
