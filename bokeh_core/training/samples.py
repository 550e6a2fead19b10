"""Labelled pictures decoded to a training size; in memory as far as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core.errors import InputError
from bokeh_core.training.faults import DataFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from bokeh_core.training.items import Item

Bytes = npt.NDArray[np.uint8]

DEPTH_SHRINK = 3
"""Depth labels are kept at this fraction of the picture: the student predicts at a quarter."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One decoded picture; planes and `rgb` are (H, W[, 3]), depth (255 = near) a third of that."""

    key: str
    rgb: Bytes
    mask: Bytes | None
    depth: Bytes | None
    animals: Bytes | None = None
    known: Bytes | None = None
    """As in `Labelled`."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory that its planes take."""
        planes = (self.rgb, self.mask, self.depth, self.animals, self.known)
        return sum(plane.nbytes for plane in planes if plane is not None)

    @property
    def matte(self) -> Bytes | None:
        """The mask where it is a soft matte of a subject, fine enough to cut them out."""
        return self.mask if self.known is None else None

    @property
    def empty(self) -> bool:
        """Whether no person is known to be in the picture, by labels that tell everybody."""
        return self.known is not None and self.mask is not None and not self.mask.any()


def decode(item: Item, long_side: int) -> Sample:
    """Read one picture and its labels, reduced so that the long side is `long_side` at most.

    Depth with holes is not learnt from.
    """
    found = item.read()
    height, width = found.rgb.shape[:2]
    scale = min(long_side / max(height, width), 1.0)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = (max(size[0] // DEPTH_SHRINK, 1), max(size[1] // DEPTH_SHRINK, 1))
    mask, animals, known = (
        None if plane is None else _resized(plane, size)
        for plane in (found.mask, found.animals, found.known)
    )
    depth = None
    if found.disparity is not None and np.isfinite(found.disparity).all():
        low, high = np.percentile(found.disparity, (0.5, 99.5))
        relative = np.clip((found.disparity - low) / max(high - low, 1e-6), 0, 1)
        depth = _resized((relative * 255).round().astype(np.uint8), small)
    return Sample(item.key, _resized(found.rgb, size), mask, depth, animals, known)


def _resized(plane: npt.NDArray[Any], size: tuple[int, int]) -> Bytes:
    method = cv2.INTER_AREA if size[0] < plane.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, size, interpolation=method), np.uint8)


class Broken:
    """Pictures that turned out to be unreadable: said once each, and counted against a limit."""

    def __init__(self, limit: int = 0, say: Callable[[str], None] = lambda _: None) -> None:
        """Allow `limit` of them; `say` is told of each."""
        self._limit = limit
        self._say = say
        self._known: set[str] = set()

    def note(self, key: str, reason: str) -> None:
        """Take notice of one.

        Raises
        ------
        InputError
            That is more than the limit.
        """
        if key in self._known:
            return
        self._known.add(key)
        if len(self._known) <= self._limit:
            self._say(f"left out, as picture {len(self._known)} of {self._limit} at most: {reason}")
        elif self._limit == 0:
            raise InputError(reason)
        else:
            raise InputError(f"more than {self._limit} pictures cannot be read; the last: {reason}")


class Store:
    """Samples of one size: those that fit into memory are kept, the others are read anew each time.

    All are read once at the start, so which are broken is known, and what is drawn does not depend
    on how many are kept. In place of a broken one comes the next that is not.
    """

    def __init__(self, items: Sequence[Item], long_side: int, room: int, broken: Broken) -> None:
        """Read all of `items`, reduced to `long_side`, and keep `room` bytes of them."""
        self._items = items
        self._long_side = long_side
        self._kept: dict[int, Sample] = {}
        self._sound: list[bool] = []
        self.wide: list[bool] = []
        """Whether a picture lies on its side; of no meaning for a broken one."""
        self.people: list[int] = []
        """Those with a soft matte."""
        self.scenes: list[int] = []
        """Those of nobody."""
        self.found_broken: list[tuple[str, str]] = []
        """Key and reason of those that broke after the start."""
        with ThreadPoolExecutor(2) as pool:
            for index, sample in enumerate(pool.map(self._read, range(len(items)))):
                self._sound.append(isinstance(sample, Sample))
                if isinstance(sample, DataFault):
                    broken.note(items[index].key, str(sample))
                    self.wide.append(False)
                    continue
                self._know(index, sample)
                room -= sample.nbytes  # from the first one on that does not fit none is kept
                if room >= 0:
                    self._kept[index] = sample
        if not any(self._sound):
            raise InputError("none of the pictures can be read")

    def _know(self, index: int, sample: Sample) -> None:
        self.wide.append(sample.rgb.shape[1] > sample.rgb.shape[0])
        if sample.matte is not None:
            self.people.append(index)
        if sample.empty:
            self.scenes.append(index)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> Sample:
        """Return the sample, or the next one if it is broken."""
        for place in range(index, index + len(self)):
            here = place % len(self)
            if here in self._kept:
                return self._kept[here]
            if not self._sound[here]:
                continue
            sample = self._read(here)
            if isinstance(sample, Sample):
                return sample
            self._sound[here] = False
            self.found_broken.append((self._items[here].key, str(sample)))
        raise InputError("none of the pictures can be read any more")

    def sound(self) -> list[int]:
        """List the pictures that are not broken."""
        return [index for index, sound in enumerate(self._sound) if sound]

    def _read(self, index: int) -> Sample | DataFault:
        try:
            return decode(self._items[index], self._long_side)
        except DataFault as fault:
            return fault

    def __getstate__(self) -> dict[str, Any]:
        """Go to another process without what is kept: every process would hold it."""
        return {**vars(self), "_kept": {}}


@dataclass(frozen=True, eq=False)
class Selection(Sequence[Sample]):
    """Some samples of a store."""

    store: Store
    indices: Sequence[int]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        """Return one sample."""
        return self.store[self.indices[index]]
