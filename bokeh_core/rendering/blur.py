"""Scatter of one surface: every pixel spread over its own circle of confusion, summed up."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.rendering.kernels import aperture_kernel, point_symmetric
from bokeh_core.rendering.resample import enlarged, reduced

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from bokeh_core.lens import Lens
    from bokeh_core.rendering.levels import Levels

COLOURS = (1.0, 0.0, -1.0)
"""Sign of the fringe for red, green and blue."""
CENTRE = (0.0, 0.0)
KEPT_BYTES = 96 * 2**20
"""Of transformed kernels. Tiles need many sizes of them: without a bound 50 MP kept 200 MB."""


class Blur:
    """Blurs surfaces of one lens; keeps the transformed kernels between calls."""

    def __init__(self, lens: Lens, levels: Levels, device: torch.device) -> None:
        self.lens = lens
        self.levels = levels
        self.device = device
        self._symmetric = point_symmetric(lens)
        self._spectra = Kept(KEPT_BYTES)

    def __call__(
        self,
        planes: Tensor,
        coc: Tensor,
        cover: Tensor,
        *,
        base: int = 1,
        field: tuple[float, float] = CENTRE,
        step: Callable[[], None] = lambda: None,
    ) -> Tensor:
        """Scatter every pixel of a surface.

        Parameters
        ----------
        planes
            (C, h, w): premultiplied red, green, blue, then coverage and density; with a fringe
            these come once for each colour too.
        coc
            (1, h, w) signed CoC radius in pixels of the frame.
        cover
            (1, h, w) weight > 0 by which the CoC is averaged where the resolution is reduced.
        base
            By how much the planes are reduced already; smaller radii count as the least that is
            blurred at this reduction.
        field
            Position in the frame that the kernel is for, see `aperture_kernel`.
        step
            Called before every radius.

        Returns
        -------
        Tensor
            (C, h, w). Wraps around at the border: give a margin as wide as the largest radius.
        """
        low, high = (float(value) for value in torch.aminmax(coc))
        if low == high == 0.0:
            return planes
        if self._symmetric or low >= 0.0 or high <= 0.0:
            return self._one_side(
                planes, coc.abs(), cover, base, step, near=low >= 0.0, field=field
            )
        total = torch.zeros_like(planes)
        for mask, near in (((coc <= 0).float(), False), ((coc > 0).float(), True)):
            part = self._one_side(
                planes * mask,
                coc.abs() * mask,
                cover * mask + 1e-6,
                base,
                step,
                near=near,
                field=field,
            )
            total += part
        return total

    def _one_side(
        self,
        planes: Tensor,
        coc: Tensor,
        cover: Tensor,
        base: int,
        step: Callable[[], None],
        *,
        near: bool,
        field: tuple[float, float],
    ) -> Tensor:
        if base > 1:
            coc = coc.clamp(min=self.levels.radii[self.levels.members(base)[0]])
        least, most = (float(value) for value in torch.aminmax(coc))
        used = self.levels.between(least, most)
        total: Tensor | None = None
        for scale, members in self._scales(used, base):
            if total is not None:
                total = enlarged(total, 2)
            part, square = self._at_scale(planes, coc, cover, scale // base, members, used)
            if part is None or square is None:
                continue
            here = self._blurred(part, square, members, step, near=near, field=field)
            total = here if total is None else total.add_(here)
        assert total is not None
        return total

    def _scales(self, used: range, base: int) -> Iterator[tuple[int, range]]:
        """Yield every reduction from the coarsest in use down to `base`, with its radii."""
        scale = self.levels.scales[used[-1]]
        while scale >= base:
            members = self.levels.members(scale)
            yield scale, range(max(members[0], used[0]), min(members[-1], used[-1]) + 1)
            scale //= 2

    def _at_scale(
        self, planes: Tensor, coc: Tensor, cover: Tensor, factor: int, members: range, used: range
    ) -> tuple[Tensor | None, Tensor | None]:
        """Give what belongs to these radii, reduced by `factor`, and its squared CoC."""
        if len(members) == 0:
            return None, None
        square = coc * coc
        if len(members) < len(used):
            part = self.levels.rise(square, members[0]) - self.levels.rise(square, members[-1] + 1)
            planes = planes * part
            cover = cover * part
        if factor == 1:
            return planes, square
        weight = reduced(cover, factor)
        square = reduced(square * cover, factor).div_(weight.clamp_(min=1e-9))
        return reduced(planes, factor), square

    def _blurred(
        self,
        planes: Tensor,
        square: Tensor,
        members: range,
        step: Callable[[], None],
        *,
        near: bool,
        field: tuple[float, float],
    ) -> Tensor:
        size = (planes.shape[1], planes.shape[2])
        spectrum: Tensor | None = None
        sharp: Tensor | None = None
        for index in members:
            step()
            # what belongs to other reductions was taken out before: the ends take all the rest
            above = 1.0 if index == members[0] else self.levels.rise(square, index)
            beyond = 0.0 if index == members[-1] else self.levels.rise(square, index + 1)
            part = planes * (above - beyond) if len(members) > 1 else planes
            if index == 0:
                sharp = part
                continue
            term = torch.fft.rfft2(part)
            kernel = self._spectrum(index, near, field, size)[: planes.shape[0]]
            if spectrum is None:
                spectrum = term.mul_(kernel)
            else:
                spectrum.addcmul_(term, kernel)
        if spectrum is None:
            assert sharp is not None
            return sharp.clone()
        blurred: Tensor = torch.fft.irfft2(spectrum, s=size)
        return blurred if sharp is None else blurred.add_(sharp)

    def _spectrum(
        self, index: int, near: bool, field: tuple[float, float], size: tuple[int, int]
    ) -> Tensor:
        key = (index, near, field, size)
        spectrum = self._spectra.get(key)
        if spectrum is None:
            scale = self.levels.scales[index]
            radius = self.levels.radii[index] / scale
            # averaging over a block, the kernel's larger pixels and bilinear enlargement blur by
            # themselves, in grid pixels:
            wider = (1.0 - 1.0 / scale**2) / 12.0
            spread = 0.0 if scale == 1 else wider + wider + 1.0 / 6.0
            fringe = self.lens.fringe
            kernels = [
                aperture_kernel(
                    self.lens, radius * (1.0 + sign * fringe), near=near, field=field, spread=spread
                )
                for sign in (COLOURS if fringe else (0.0,))
            ]
            spectra = [_transformed(kernel, size) for kernel in kernels]
            if fringe:  # light, coverage and density come in threes
                spectra *= 3
            spectrum = torch.stack(spectra).to(self.device)
            self._spectra.put(key, spectrum)
        return spectrum


class Kept:
    """Tensors by key, shared by threads; those unused for longest go when there are too many."""

    def __init__(self, most_bytes: int) -> None:
        self._room = most_bytes
        self._tensors: dict[Hashable, Tensor] = {}  # the latest use last
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Tensor | None:
        """Find a tensor; None when it is not (or no more) there."""
        with self._lock:
            found = self._tensors.pop(key, None)
            if found is not None:
                self._tensors[key] = found
        return found

    def put(self, key: Hashable, tensor: Tensor) -> None:
        """Keep a tensor, whatever its size."""
        with self._lock:
            if key in self._tensors:  # another thread was first
                return
            self._tensors[key] = tensor
            self._room -= tensor.nbytes
            while self._room < 0 and len(self._tensors) > 1:
                self._room += self._tensors.pop(next(iter(self._tensors))).nbytes


def _transformed(kernel: Tensor, size: tuple[int, int]) -> Tensor:
    """Transform a centred odd kernel placed on pixel (0, 0) of a periodic frame."""
    half = kernel.shape[0] // 2
    frame = torch.zeros(size)
    rows = torch.arange(-half, half + 1) % size[0]
    columns = torch.arange(-half, half + 1) % size[1]
    frame.index_put_((rows[:, None], columns[None, :]), kernel, accumulate=True)
    spectrum: Tensor = torch.fft.rfft2(frame)
    return spectrum
