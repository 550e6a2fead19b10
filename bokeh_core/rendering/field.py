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


@dataclass(frozen=True)
class Field:
    """Where a window lies in the frame, as far as the lens minds.

    Attributes
    ----------
    top, left
        Of the window, in pixels of the frame.
    height, width
        Of the frame.
    nodes
        Intervals between positions along each side of the frame; 0 = the kernel is the same
        everywhere.
    """

    top: int
    left: int
    height: int
    width: int
    nodes: int

    @property
    def varies(self) -> bool:
        """Whether the kernel depends on the position at all."""
        return self.nodes > 0

    @classmethod
    def of(cls, lens: Lens, window: Bounds, height: int, width: int, nodes: int) -> Field:
        """Place a window in a frame with so many intervals between positions along each side."""
        nodes = nodes if lens.cat_eye > 0.0 else 0
        return cls(window.top, window.left, height, width, nodes)

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
        nodes = self.nodes
        rows = _coordinates(self.top, part.top, part.height, scale, device) / self.height
        columns = _coordinates(self.left, part.left, part.width, scale, device) / self.width
        rows, columns = (x.clamp(0.0, 1.0) * nodes for x in (rows, columns))  # mirrored: the border
        diagonal = math.hypot(self.height, self.width)
        for i in range(nodes + 1):
            down = (1.0 - (rows - i).abs()).clamp(min=0.0)
            for j in range(nodes + 1):
                right = (1.0 - (columns - j).abs()).clamp(min=0.0)
                if bool(down.any()) and bool(right.any()):
                    x = (2.0 * j / nodes - 1.0) * self.width / diagonal
                    y = (2.0 * i / nodes - 1.0) * self.height / diagonal
                    yield (down[:, None] * right[None, :])[None], (x, y)


def _coordinates(origin: int, start: int, count: int, scale: int, device: torch.device) -> Tensor:
    """Centres of reduced pixels along one side, in pixels of the frame."""
    return origin + start + scale * (torch.arange(count // scale, device=device) + 0.5)
