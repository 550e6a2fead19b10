"""Transforms into the frequency domain and back: torch's, or OpenCV's where they are quicker.

OpenCV's, by Intel's IPP, are quicker than torch's MKL on an AMD processor (docs/decisions/0032).
They pack the spectrum into as many real numbers as there are pixels. A kernel that looks the same
turned by 180 degrees has a real spectrum: one multiplication a number instead of a complex one.
"""

from __future__ import annotations

from typing import Protocol

import cv2
import torch
from torch import Tensor

Size = tuple[int, int]
"""Height and width in pixels."""


class Transforms(Protocol):
    """A way there and back; a spectrum times a kernel's, element by element, is a blur."""

    def forth(self, planes: Tensor) -> Tensor:
        """Transform (C, h, w) planes."""

    def back(self, spectra: Tensor, size: Size) -> Tensor:
        """Return the (C, h, w) planes of a size that have these spectra."""

    def of_kernel(self, kernel: Tensor, size: Size) -> Tensor:
        """Transform a centred odd (n, n) kernel placed on pixel (0, 0) of a periodic frame."""


def transforms(device: torch.device, *, symmetric: bool) -> Transforms:
    """Choose the quickest for a device and for kernels that are point-symmetric or not."""
    packed = symmetric and device.type == "cpu" and cv2.ipp.useIPP()
    return Packed() if packed else Complex()


class Complex:
    """Torch's: half the spectrum, as complex numbers."""

    def forth(self, planes: Tensor) -> Tensor:
        """See `Transforms`."""
        spectra: Tensor = torch.fft.rfft2(planes)
        return spectra

    def back(self, spectra: Tensor, size: Size) -> Tensor:
        """See `Transforms`."""
        planes: Tensor = torch.fft.irfft2(spectra, s=size)
        return planes

    def of_kernel(self, kernel: Tensor, size: Size) -> Tensor:
        """See `Transforms`; only the kernel's own rows are transformed along the rows."""
        half = kernel.shape[0] // 2
        rows, columns = (torch.arange(-half, half + 1) % side for side in size)
        lines = kernel.new_zeros(kernel.shape[0], size[1]).index_add_(1, columns, kernel)
        spectra = torch.fft.rfft(lines).T
        frame = spectra.new_zeros(spectra.shape[0], size[0]).index_add_(1, rows, spectra)
        spectrum: Tensor = torch.fft.fft(frame).T
        return spectrum.contiguous()


class Packed:
    """OpenCV's, for kernels whose spectra are real."""

    def forth(self, planes: Tensor) -> Tensor:
        """See `Transforms`."""
        return _each(planes, 0)

    def back(self, spectra: Tensor, size: Size) -> Tensor:  # noqa: ARG002
        """See `Transforms`."""
        return _each(spectra, cv2.DFT_INVERSE | cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT)

    def of_kernel(self, kernel: Tensor, size: Size) -> Tensor:
        """See `Transforms`: the factor of every number that a spectrum is packed into.

        Real and imaginary parts follow each other along the rows; those of the first and, where
        their count is even, of the last column, which are their own mirror images, along it. A
        kernel has no imaginary ones, so there the real ones are repeated.
        """
        half = kernel.shape[0] // 2
        rows, columns = (torch.arange(-half, half + 1) % side for side in size)
        lines = kernel.new_zeros(kernel.shape[0], size[1]).index_add_(1, columns, kernel)
        packed = _each(kernel.new_zeros(1, *size).index_add_(1, rows, lines[None]), 0)[0]
        packed[:, 2::2] = packed[:, 1:-1:2]
        for column in (0,) if size[1] % 2 else (0, -1):
            packed[2::2, column] = packed[1:-1:2, column]
        return packed


def _each(planes: Tensor, flags: int) -> Tensor:
    out = torch.empty(planes.shape)
    for source, target in zip(planes.numpy(), out.numpy(), strict=True):
        cv2.dft(source, dst=target, flags=flags)
    return out
