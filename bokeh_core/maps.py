"""Analysis: the maps of one photo, by name, as `analyse` finds them and `render` takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class Analysis:
    """What `analyse` finds; `render` takes it whole, and it unpacks as `matte, depth`.

    Attributes
    ----------
    matte : ndarray (H, W), float32
        Coverage of the subject in [0, 1], as from `portrait_matte`.
    depth : ndarray (H, W), float32
        Relative disparity in [0, 1], 1 = nearest, as from `estimate_depth`; its steps lie on this
        matte's outline.
    notes : tuple of str
        What the user should know about the subject, a line each: that there is no person, or only
        a small or a doubtful one.
    """

    matte: Float32
    depth: Float32
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Float32]:
        """Return an iterator over matte and depth, in this order."""
        return iter((self.matte, self.depth))

    def __getitem__(self, index: int) -> Float32:
        """Return the matte (0) or the depth (1)."""
        return (self.matte, self.depth)[index]
