"""Weights that a run begins from: embedded ones by name, or a file of another run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors
import safetensors.torch

from bokeh_core.errors import ModelCorrupt, ModelMissing, reason
from bokeh_core.networks import registry
from bokeh_core.networks.shared import fill

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Start:
    """Tensors to begin from, and the SHA-256 of the file they came from."""

    tensors: dict[str, Tensor]
    sha256: str


def find(name: str) -> Start:
    """Read embedded weights by name, or a safetensors file by its path.

    Raises
    ------
    ModelMissing
        No embedded weights of that name, and no such file.
    ModelCorrupt
        The file is damaged or of another format.
    """
    path = Path(name)
    if path.suffix != ".safetensors":
        record = registry.find(name)
        return Start(registry.load_tensors(record), record.sha256)
    try:
        content = path.read_bytes()
        tensors = safetensors.torch.load(content)
    except OSError as error:
        raise ModelMissing(f"{path}: {reason(error)}") from None
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ModelCorrupt(f"{path} is not a safetensors file: {error}") from None
    floats = {key: tensor.float() for key, tensor in tensors.items()}
    return Start(floats, hashlib.sha256(content).hexdigest())


def load(network: nn.Module, name: str) -> str:
    """Fill `network` from `find(name)` and return the file's SHA-256.

    Weights from before the network had its parts that begin as the identity (`network.IDENTITIES`)
    fill the rest of it: the network then gives what they gave, and trains on from there.

    Raises
    ------
    ModelMissing, ModelCorrupt
        As `find`, and when the weights are of another network.
    """
    start = find(name)
    try:
        fill(network, start.tensors, getattr(network, "IDENTITIES", ()))
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ModelCorrupt(f"{name}: weights of another network: {reason}") from None
    return start.sha256
