"""Scatter of one layer: every pixel spread over its own circle of confusion, summed up."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bokeh_core.rendering.aperture_blur.field_kernels import centre_only
from bokeh_core.rendering.aperture_blur.kernel import aperture_kernel, point_symmetric
from bokeh_core.rendering.aperture_blur.transforms import transforms
from bokeh_core.rendering.masks import above, at_most
from bokeh_core.rendering.resample import enlarged, reduced

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from bokeh_core.lens import Lens
    from bokeh_core.rendering.aperture_blur.field_kernels import Nodes, Position
    from bokeh_core.rendering.aperture_blur.radii import BlurRadii

COLOURS = (1.0, 0.0, -1.0)
"""Sign of the fringe for red, green and blue."""
KEPT_BYTES = 96 * 2**20
"""Of transformed kernels. Tiles need many sizes of them: without a bound 50 MP kept 200 MB."""


class Blur:
    """Blurs layers of one lens; keeps the transformed kernels between calls."""

    def __init__(self, lens: Lens, radii: BlurRadii, device: torch.device) -> None:
        self.lens = lens
        self.radii = radii
        self.device = device
        self._symmetric = point_symmetric(lens)
        self._transforms = transforms(device, symmetric=self._symmetric)
        self._spectra = Kept(KEPT_BYTES)
        self._drawn: dict[tuple[int, bool, Position], list[Tensor]] = {}

    def __call__(
        self,
        planes: Tensor,
        coc: Tensor,
        cover: Tensor,
        *,
        base: int = 1,
        nodes: Nodes = centre_only,
        step: Callable[[], None] = lambda: None,
    ) -> Tensor:
        """Scatter every pixel of a layer.

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
            By how much the planes are reduced already; they hold the share that is blurred at this
            reduction (`BlurRadii.share`).
        nodes
            The kernels to blend.
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
            return self._one_side(planes, coc, cover, base, step, near=low >= 0.0, nodes=nodes)
        total = torch.zeros_like(planes)
        for mask, near in ((at_most(coc, 0.0), False), (above(coc, 0.0), True)):
            part = self._one_side(
                planes * mask,
                coc * mask,
                cover * mask + 1e-6,
                base,
                step,
                near=near,
                nodes=nodes,
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
        nodes: Nodes,
    ) -> Tensor:
        used = self._used(coc, base)
        total: Tensor | None = None
        for scale, members in self._scales(used, base):
            if total is not None:
                total = enlarged(total, 2)
            part, square = self._at_scale(planes, coc, cover, scale // base, members, used)
            if part is None or square is None:
                continue
            here = self._blurred(part, square, members, step, near=near, nodes=nodes(scale))
            total = here if total is None else total.add_(here)
        assert total is not None
        return total

    def _used(self, coc: Tensor, base: int) -> range:
        """Return the indices of the radii that the planes are shared among."""
        low, high = (float(value) for value in torch.aminmax(coc))
        least, most = max(low, -high, 0.0), max(-low, high)
        used, here = self.radii.between(least, most), self.radii.cut_at(base)
        first = min(max(used[0], here[0]), here[-1])
        return range(first, max(min(used[-1], here[-1]), first) + 1)

    def _scales(self, used: range, base: int) -> Iterator[tuple[int, range]]:
        """Yield every reduction from the coarsest in use down to `base`, with its radii."""
        scale = self.radii.scales[used[-1]]
        while scale >= base:
            members = self.radii.members(scale)
            yield scale, range(max(members[0], used[0]), min(members[-1], used[-1]) + 1)
            scale //= 2

    def _at_scale(
        self, planes: Tensor, coc: Tensor, cover: Tensor, factor: int, members: range, used: range
    ) -> tuple[Tensor | None, Tensor | None]:
        """Return what belongs to these radii, reduced by `factor`, and its squared CoC."""
        if len(members) == 0:
            return None, None
        square = coc * coc
        if len(members) < len(used):
            rise = 1.0 if members[0] == used[0] else self.radii.rise(square, members[0])
            last = members[-1] == used[-1]
            part = rise - (0.0 if last else self.radii.rise(square, members[-1] + 1))
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
        nodes: list[tuple[Tensor | None, Position]],
    ) -> Tensor:
        """Blur with the radii of one reduction: one transform a radius, one back a kernel.

        On a CPU plane by plane, so that what is worked on stays in its cache.
        """
        size = (planes.shape[1], planes.shape[2])
        shares = self._shares(square, members)
        kernels = [
            [self._spectrum(index, near, position, size) for _, position in nodes] if index else []
            for index in members
        ]
        weights = [None if weight is None else weight.to(self.device) for weight, _ in nodes]
        out = torch.empty_like(planes)
        count = 1 if self.device.type == "cpu" else len(planes)
        for first in range(0, len(planes), count):
            step()
            here = slice(first, first + count)
            own = [[k[here] if len(k) > 1 else k for k in several] for several in kernels]
            out[here] = self._mixed(planes[here], shares, own, weights)
        return out

    def _mixed(
        self,
        planes: Tensor,
        shares: list[Tensor | None],
        kernels: list[list[Tensor]],
        weights: list[Tensor | None],
    ) -> Tensor:
        """Blur each radius's share of some planes with its kernels (none = sharp); add them up."""
        sharp: Tensor | None = None
        spectra: list[Tensor] = []
        for share, here in zip(shares, kernels, strict=True):
            part = planes if share is None else planes * share
            if not here:
                sharp = part
                continue
            term = self._transforms.forth(part)
            if spectra:
                for spectrum, kernel in zip(spectra, here, strict=True):
                    spectrum.addcmul_(term, kernel)
            else:
                spectra = [term * kernel for kernel in here[1:]]
                spectra.insert(0, term.mul_(here[0]))
        total = sharp
        for spectrum, weight in zip(spectra, weights, strict=False):
            blurred = self._transforms.back(spectrum, (planes.shape[1], planes.shape[2]))
            if weight is not None:
                blurred.mul_(weight)
            total = blurred if total is None else blurred.add_(total)
        assert total is not None
        return total

    def _shares(self, square: Tensor, members: range) -> list[Tensor | None]:
        """Return each radius's share of the pixels, the ends' with all the rest; None = all.

        (What belongs to other reductions was taken out before.)
        """
        shares: list[Tensor | None] = []
        rise: Tensor | float = 1.0
        for index in members:
            beyond = 0.0 if index == members[-1] else self.radii.rise(square, index + 1)
            share = rise - beyond
            shares.append(share if isinstance(share, Tensor) else None)
            rise = beyond
        return shares

    def _spectrum(self, index: int, near: bool, field: Position, size: tuple[int, int]) -> Tensor:
        key = (index, near, field, size)
        spectrum = self._spectra.get(key)
        if spectrum is None:
            kernels = self._kernels(index, near, field)
            spectra = [self._transforms.of_kernel(kernel, size) for kernel in kernels]
            if self.lens.fringe:  # light, coverage and density come in threes
                spectra *= 3
            spectrum = torch.stack(spectra).to(self.device)
            self._spectra.put(key, spectrum)
        return spectrum

    def _kernels(self, index: int, near: bool, field: Position) -> list[Tensor]:
        """Draw the aperture of one radius at a position, once for each colour with a fringe."""
        key = (index, near, field)
        kernels = self._drawn.get(key)
        if kernels is None:
            scale = self.radii.scales[index]
            radius = self.radii.values[index] / scale
            # averaging over a block, the kernel's larger pixels and bilinear enlargement blur by
            # themselves, in grid pixels:
            wider = (1.0 - 1.0 / scale**2) / 12.0
            spread = 0.0 if scale == 1 else wider + wider + 1.0 / 6.0
            widths = [1.0 + sign * self.lens.fringe for sign in COLOURS]
            kernels = [
                aperture_kernel(self.lens, radius * width, near=near, field=field, spread=spread)
                for width in (widths if self.lens.fringe else (1.0,))
            ]
            self._drawn[key] = kernels
        return kernels


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
