"""In which arithmetic a network is trained: full, or mixed where the hardware gains by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import torch

from bokeh_core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

Precision = Literal["auto", "fp32", "bf16"]

Forward = Callable[["Tensor"], Any]
"""A network, or one wrapped by `Arithmetic.forward`."""


@dataclass(frozen=True)
class Arithmetic:
    """What the network's matrix work is done in; weights, losses and optimiser stay fp32."""

    device: str
    """Type of the device: cpu, cuda, mps."""
    dtype: torch.dtype

    @property
    def scaled(self) -> bool:
        """Whether the loss must be scaled up, so that small gradients do not vanish in fp16."""
        return self.dtype == torch.float16

    def forward(self, network: nn.Module) -> Forward:
        """Wrap `network`: its forward pass in this arithmetic, its output in fp32."""
        if self.dtype == torch.float32:
            return network

        def mixed(rgb: Tensor) -> Tensor | tuple[Tensor, ...]:
            with torch.autocast(self.device, dtype=self.dtype):
                found = network(rgb)
            if isinstance(found, tuple):
                return tuple(plane.float() for plane in found)
            return found.float()  # type: ignore[no-any-return]

        return mixed

    def __str__(self) -> str:
        """Name it as a report does."""
        if self.dtype == torch.float32:
            return "fp32"
        return f"{'fp16' if self.scaled else 'bf16'} mixed precision"


def choose(precision: Precision, device: str) -> Arithmetic:
    """Settle a recipe's precision for a device.

    "auto": fp16 with a loss scaler on CUDA; bf16 on a CPU that multiplies it (AMX, AVX512-BF16),
    where the U-Net family's steps take a third of the time, the shared network's about two thirds.

    Raises
    ------
    InputError
        No such precision.
    """
    if precision not in get_args(Precision):
        known = ", ".join(get_args(Precision))
        raise InputError(f"precision must be one of {known}, got {precision!r}")
    kind = device.partition(":")[0]
    if precision == "bf16":
        return Arithmetic(kind, torch.bfloat16)
    if precision == "auto" and kind == "cuda":
        return Arithmetic(kind, torch.float16)
    if precision == "auto" and kind == "cpu" and cpu_has_bf16():
        return Arithmetic(kind, torch.bfloat16)
    return Arithmetic(kind, torch.float32)


def cpu_has_bf16() -> bool:
    """Whether the CPU multiplies bf16 by itself; without that it is slower than fp32."""
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(capabilities.get(name, False) for name in ("amx_bf16", "avx512_bf16"))
