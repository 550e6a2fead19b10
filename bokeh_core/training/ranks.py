"""One training in several processes, a GPU each: started by `torchrun`, joined here."""

from __future__ import annotations

import contextlib
import gc
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from bokeh_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

T = TypeVar("T")


@dataclass(frozen=True)
class Ranks:
    """The processes of one training; the first of them writes, reports and validates."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def told(self, value: T) -> T:
        """Return the first process's value in all of them."""
        if self.count == 1:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0)
        return box[0]

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Return the means over all processes of numbers that all of them name."""
        if self.count == 1:
            return values
        rows: list[dict[str, float]] = [{} for _ in range(self.count)]
        distributed.all_gather_object(rows, values)
        return {name: sum(row[name] for row in rows) / self.count for name in values}

    def any(self, flag: bool) -> bool:
        """Tell whether it is so in one of the processes at least."""
        return self.mean({"flag": float(flag)})["flag"] > 0 if self.count > 1 else flag

    def together(self, network: nn.Module) -> nn.Module:
        """Let the gradients of all processes be their mean, and their weights stay the same."""
        if self.count == 1:
            return network
        device = next(network.parameters()).device
        return DistributedDataParallel(network, [device] if device.type == "cuda" else None)


ALONE = Ranks()


@contextlib.contextmanager
def joined(device: str) -> Iterator[tuple[Ranks, str]]:
    """Join the other processes that torchrun has started; alone where it has started none.

    Yields
    ------
    ranks, device
        Each process takes the GPU of its number on its machine; on CPUs they share the cores.

    Raises
    ------
    InputError
        The machine has fewer GPUs than processes.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield ALONE, device
        return
    here = int(os.environ.get("LOCAL_RANK", "0"))
    backend = "gloo"
    if device.startswith("cuda"):
        if here >= torch.cuda.device_count():
            raise InputError(
                f"process {here + 1} has no GPU: there are {torch.cuda.device_count()}"
            )
        backend, device = "cpu:gloo,cuda:nccl", f"cuda:{here}"
        torch.cuda.set_device(here)
    distributed.init_process_group(backend)
    try:
        yield Ranks(distributed.get_rank(), count), device
        # All leave together, and nothing keeps the group's threads alive into the interpreter's
        # end, where one of them aborted a process that had done its work (seen once in CI).
        distributed.barrier()
        gc.collect()
    finally:
        distributed.destroy_process_group()
