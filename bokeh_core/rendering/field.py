"""Kernels that change over the frame (cat-eye): blended between a few positions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bokeh_core.lens import Lens
    from bokeh_core.rendering.blur import Blur
    from bokeh_core.rendering.frame import Bounds

NODES = 4
"""Intervals between positions along each side of the frame."""


@dataclass(frozen=True)
class Field:
    """Where a window lies in the frame, as far as the lens minds.

    Attributes
    ----------
    top, left
        Of the window, in pixels of the frame.
    height, width
        Of the frame.
    varies
        Whether the kernel depends on the position at all.
    """

    top: int
    left: int
    height: int
    width: int
    varies: bool

    @classmethod
    def of(cls, lens: Lens, window: Bounds, height: int, width: int) -> Field:
        """Place a window."""
        return cls(window.top, window.left, height, width, lens.cat_eye > 0.0)

    def apply(
        self,
        blur: Blur,
        planes: Tensor,
        coc: Tensor,
        cover: Tensor,
        part: Bounds,
        scale: int,
        step: Callable[[], None],
    ) -> Tensor:
        """Blur a part of the window, reduced by `scale`, with the kernel of its place."""
        if not self.varies:
            return blur(planes, coc, cover, base=scale, step=step)
        total = torch.zeros_like(planes)
        for weight, position in self._nodes(part, scale, planes.device):
            near = planes * weight, coc, cover * weight + 1e-6
            total += blur(*near, base=scale, field=position, step=step)
        return total

    def _nodes(
        self, part: Bounds, scale: int, device: torch.device
    ) -> Iterator[tuple[Tensor, tuple[float, float]]]:
        """Yield the bilinear weight (1, h, w) of every position that the part is near to."""
        rows = _coordinates(self.top + part.top, part.height, scale, self.height, device)
        columns = _coordinates(self.left + part.left, part.width, scale, self.width, device)
        diagonal = math.hypot(self.height, self.width)
        for i in range(NODES + 1):
            down = (1.0 - (rows - i).abs()).clamp(min=0.0)
            for j in range(NODES + 1):
                right = (1.0 - (columns - j).abs()).clamp(min=0.0)
                if bool(down.any()) and bool(right.any()):
                    x = (2.0 * j / NODES - 1.0) * self.width / diagonal
                    y = (2.0 * i / NODES - 1.0) * self.height / diagonal
                    yield (down[:, None] * right[None, :])[None], (x, y)


def _coordinates(start: int, count: int, scale: int, size: int, device: torch.device) -> Tensor:
    """Positions along one side in node intervals, mirrored parts held at the border."""
    centre = start + scale * (torch.arange(count // scale, device=device) + 0.5)
    return (centre / size * NODES).clamp(0.0, NODES)
