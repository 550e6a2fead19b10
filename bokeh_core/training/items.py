"""One labelled picture: where it lies, how it is read, and to which part it belongs."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core.errors import InputError
from bokeh_core.training import masks
from bokeh_core.training.faults import DataFault
from bokeh_core.training.masks import Convention, check_proportions, fitted, image, needed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from pathlib import Path

Bytes = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

TEST_PART = 0.1
"""Part of the pictures that is never trained on, where their names decide."""

VALIDATION_PART = 0.05
"""Part of the pictures that a training looks at to steer itself, and does not learn."""

Part = Literal["training", "validation", "test"]
Split = Literal["hash", "published"]
"""What decides the part of a picture: its name, or the lists that came with the data."""

Label = Literal["mask", "depth"]
LABELS: tuple[Label, ...] = get_args(Label)
LABELS_OF: dict[str, frozenset[Label]] = {
    "joint": frozenset({"mask", "depth"}),
    "portrait": frozenset({"mask"}),
    "depth": frozenset({"depth"}),
}
"""What a task learns from, and is scored on."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """One picture with what is known about it.

    Attributes
    ----------
    rgb : ndarray (H, W, 3), uint8
        sRGB-encoded.
    mask : ndarray (H, W), uint8 or None
        255 = subject; of the photo's size. 0 where unknown.
    disparity : ndarray (h, w), float32 or None
        Relative inverse depth, larger = nearer, of any size and scale; NaN where unknown.
    metric : bool
        `disparity` is one over metres.
    animals : ndarray (H, W), uint8 or None
        255 = animal, of the photo's size; None: the mask tells people only.
    known : ndarray (H, W), uint8 or None
        255 where the mask is known, else 0; None: everywhere.
    """

    rgb: Bytes
    mask: Bytes | None
    disparity: Float32 | None
    metric: bool = False
    animals: Bytes | None = None
    known: Bytes | None = None


@dataclass(frozen=True)
class Item(ABC):
    """Where one labelled picture lies; `folder` and `name` identify it."""

    folder: str
    name: str
    scene: str = field(default="", kw_only=True)
    """What other pictures show too, where that is known."""
    published: Part | None = field(default=None, kw_only=True)
    """The part in which the lists that came with the data have it."""

    @property
    def key(self) -> str:
        """Stable name of the picture over all folders, e.g. `pfcn/00002`."""
        return f"{self.folder}/{self.name}"

    @property
    def group(self) -> str:
        """What is in one part as a whole: the picture alone, or its scene where that is known."""
        return f"{self.folder}/{self.scene}" if self.scene else self.key

    @property
    def held_out(self) -> bool:
        """Whether the picture belongs to the test part, decided by the name of its group alone."""
        return self.part() == "test"

    def part(self, split: Split = "hash") -> Part:
        """Tell to which part the picture belongs.

        Raises
        ------
        InputError
            "published", and no list names the picture.
        """
        if split == "published":
            if self.published is None:
                raise InputError(f"no list that came with the data names {self.key}")
            return self.published
        if self.place < TEST_PART:
            return "test"
        return "validation" if self.place < TEST_PART + VALIDATION_PART else "training"

    @property
    def place(self) -> float:
        """A number from 0 to 1 that depends on the name of the group alone."""
        return hashlib.sha256(self.group.encode()).digest()[0] / 256

    @property
    @abstractmethod
    def labels(self) -> frozenset[Label]:
        """What is known about the picture."""

    @abstractmethod
    def read(self) -> Labelled:
        """Read picture and labels; DataFault names the file that cannot be read."""

    def faults(self) -> Iterator[DataFault]:
        """Yield everything that keeps the picture from being read, not only the first."""
        yield from _fault_of(self.read)


@dataclass(frozen=True)
class FileItem(Item):
    """A picture whose labels are files of their own."""

    photo: Path
    mask: Path | None
    depth: Path | None
    convention: Convention = masks.USUAL

    @property
    def labels(self) -> frozenset[Label]:
        """What is known about the picture."""
        return frozenset(name for name in LABELS if getattr(self, name) is not None)

    def read(self) -> Labelled:
        """Read picture and labels; DataFault names the file that cannot be read."""
        bgr = image(self.photo, cv2.IMREAD_COLOR)
        rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
        mask = animals = known = None
        if self.mask is not None and self.convention.mask is not None:
            mask, animals, known = self.convention.mask.planes(self.mask, rgb)
        elif self.mask is not None:
            mask = fitted(masks.mask(self.mask), rgb, f"{self.mask} on {self.photo}")
        depth = None
        if self.depth is not None:
            depth = masks.disparity(self.depth, self.convention.depth)
            check_proportions(depth, rgb, f"{self.depth} on {self.photo}", "depth")
        metric = self.convention.depth in masks.METRIC
        return Labelled(rgb, mask, depth, metric, animals=animals, known=known)

    def faults(self) -> Iterator[DataFault]:
        """Yield everything that keeps the picture from being read: photo and labels apart."""
        bare = replace(self, mask=None, depth=None)
        alone = (replace(self, depth=None), replace(self, mask=None))
        blind = yield from _fault_of(bare.read)
        for label, one in zip((self.mask, self.depth), alone, strict=True):
            if label is None:
                continue
            if not blind:
                yield from _fault_of(one.read)
            elif label.suffix != ".mat":  # without its photo only that much can be told
                yield from _fault_of(partial(image, label, cv2.IMREAD_UNCHANGED))


@dataclass(frozen=True)
class NyuItem(Item):
    """One frame of the labelled NYU Depth v2 file; MATLAB stores it column by column."""

    file: Path
    index: int

    @property
    def labels(self) -> frozenset[Label]:
        """What is known about the picture."""
        return frozenset({"depth"})

    def read(self) -> Labelled:
        """Read one frame (disparity: one over the metres); DataFault names the unreadable one."""
        h5py = needed("h5py")
        try:
            with h5py.File(self.file, "r") as data:
                rgb = np.asarray(data["images"][self.index], np.uint8).transpose(2, 1, 0)
                metres = np.asarray(data["depths"][self.index], np.float32).T
        except (OSError, KeyError) as error:
            raise DataFault(
                "unreadable", f"cannot read frame {self.index} of {self.file}: {error}"
            ) from None
        return Labelled(np.ascontiguousarray(rgb), None, 1 / np.maximum(metres, 0.1), metric=True)


def partition(items: Iterable[Item], split: Split) -> dict[Part, list[Item]]:
    """Part the pictures; of lists without a validation part the hash takes one from the training.

    Raises
    ------
    InputError
        "published", and no list names a picture.
    """
    parts: dict[Part, list[Item]] = {"training": [], "validation": [], "test": []}
    for item in items:
        parts[item.part(split)].append(item)
    if split == "published" and not parts["validation"]:
        learnt, parts["training"] = parts["training"], []
        for item in learnt:
            parts["validation" if item.place < VALIDATION_PART else "training"].append(item)
    return parts


def _fault_of(read: Callable[[], object]) -> Generator[DataFault, None, bool]:
    """Yield the fault that reading meets, if any; returns whether there was one."""
    try:
        read()
    except DataFault as fault:
        yield fault
        return True
    return False


@dataclass(frozen=True)
class Parts:
    """The pictures of a run; none is in two parts."""

    training: list[Item]
    validation: list[Item]
    """Decides when a plateau's rate falls, and which weights were the best on the way."""
    test: list[Item]
    """Decides nothing."""
