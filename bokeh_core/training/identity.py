"""A run, and what a checkpoint of it belongs to: all that decides it, apart from its length."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bokeh_core.training.recipe import LENGTHS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bokeh_core.networks.unet import UNetConfig
    from bokeh_core.training.items import Parts, Split
    from bokeh_core.training.recipe import Recipe


@dataclass(frozen=True)
class Run:
    """Where a training reads and writes, and what it trains."""

    folder: Path
    data: Path
    recipe: Recipe
    network: UNetConfig | None = None
    """None: the shared default network."""
    folders: tuple[str, ...] = ()
    limit: int = 0
    """Training pictures; 0 = all."""
    validation_limit: int = 80
    test_limit: int = 0
    """Pictures of the test part; 0 = all."""
    split: Split = "hash"
    """What decides the part of a picture."""
    pretrained: bool = True
    """Begin the shared network's encoder from ImageNet weights."""
    init: str = ""
    """Begin the shared network from these: embedded weights by name, or a safetensors file."""
    encoder_weights: str = ""
    """Begin the encoder from the ImageNet weights in this file, and not from those of a package or
    a download."""
    device: str = "cpu"
    unknown: frozenset[str] = frozenset()
    """Keys of pictures whose masks are wrong and not learnt (`suspects`)."""
    broken: int = 20
    """So many pictures may be unreadable: they are left out."""
    workers: int | None = None
    """Processes that prepare batches; None: as many as the device gains by."""
    memory: float | None = None
    """Keep so many GB of decoded pictures; None: half of what is free."""
    tensorboard: bool = False
    """Write the curves for TensorBoard too (extra `[tensorboard]`)."""


def describe(run: Run, found: Parts, begun_from: str) -> dict[str, Any]:
    """Name what must stay the same between a stop and going on, by plain values.

    Parameters
    ----------
    run
        Its recipe (a longer one may go on), network, folders and limit count; its places do not.
    found
        Its pictures: the keys of those that are learnt, in this order.
    begun_from
        SHA-256 of the weights of `--init`; empty: none.
    """
    recipe = {name: value for name, value in asdict(run.recipe).items() if name not in LENGTHS}
    network = {"pretrained": run.pretrained} if run.network is None else asdict(run.network)
    return {
        **recipe,
        **network,
        "init": begun_from[:12],
        **({"encoder weights": _file(run.encoder_weights)} if run.encoder_weights else {}),
        "folders": ",".join(run.folders),
        "limit": run.limit or "none",
        **({"unknown": _digest(sorted(run.unknown))} if run.unknown else {}),
        "split": run.split,
        "pictures": _digest([item.key for item in found.training]),
        # these decide when a plateau's rate falls, and which weights are the best
        "validation pictures": _digest([item.key for item in found.validation]),
    }


def _file(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


def _digest(keys: Sequence[str]) -> str:
    return f"{len(keys)} ({hashlib.sha256(chr(10).join(keys).encode()).hexdigest()[:12]})"


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Word what is not as before; what only one of them names counts as unknown, not as other.

    What was begun before there was a validation part learnt its pictures too: it goes on without
    them.
    """
    asked = now.keys() - (() if "split" in before else {"pictures"})
    return [
        f"{name} {_word(before[name])}, now {_word(value)}"
        for name, value in now.items()
        if name in asked and before.get(name, value) != value
    ]


def _word(value: Any) -> Any:
    return "none" if value in ("", None) else value
