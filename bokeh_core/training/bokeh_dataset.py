"""Reads the data sets that `defocus dataset` makes: one sample for each picture with bokeh."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bokeh_core.errors import InputError, reason
from bokeh_core.picture import read, read_map

if TYPE_CHECKING:
    from pathlib import Path

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Sample:
    """One bokeh with everything it was made from.

    Attributes
    ----------
    image, bokeh : ndarray (H, W, 3), float32
        Linear light: in focus everywhere, and through the lens.
    mask, depth : ndarray (H, W), float32
        In [0, 1]; 1 = subject, 1 = near.
    row
        The row of `metadata.jsonl`: f_number, focus, shape, truth, source, licence, origin ...
    """

    image: Float32
    mask: Float32
    depth: Float32
    bokeh: Float32
    row: dict[str, Any]


class BokehDataset:
    """The samples of one split, by number; what PyTorch's `DataLoader` calls a map-style data set.

    Parameters
    ----------
    root
        The folder that `defocus dataset --out` named.
    split
        "train" or "test".

    Raises
    ------
    InputError
        There is no such split, or its table is damaged.
    """

    def __init__(self, root: Path, split: str = "train") -> None:
        self.folder = root / split
        table = self.folder / "metadata.jsonl"
        try:
            text = table.read_text(encoding="utf-8")
            self.rows: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
        except OSError as error:
            raise InputError(f"{table}: {reason(error)}") from None
        except ValueError as error:
            raise InputError(f"{table}: is damaged ({error})") from None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> Sample:
        """Read one sample; InputError names a file that cannot be read."""
        row = self.rows[number]
        picture = read(self.folder / row["image_file_name"])
        size = (picture.width, picture.height)
        return Sample(
            image=picture.linear(),
            mask=read_map(self.folder / row["mask_file_name"], size),
            depth=read_map(self.folder / row["depth_file_name"], size),
            bokeh=read(self.folder / row["file_name"]).linear(),
            row=row,
        )
