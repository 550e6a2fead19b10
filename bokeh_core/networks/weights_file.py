"""Weights files that say what they are: safetensors with a record in the metadata."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors
import safetensors.torch
import torch

from bokeh_core.errors import ModelCorrupt, ModelMissing, reason
from bokeh_core.networks import records
from bokeh_core.networks.records import FAMILY, ModelRecord
from bokeh_core.networks.unet import UNet, UNetConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

KEY = "defocus"
"""Of the metadata: a record (`records.to_json`) as JSON."""

SUFFIX = ".safetensors"


@dataclass(frozen=True, eq=False)
class Weights:
    """What a file holds; `record` is None where it does not say what it is."""

    tensors: dict[str, Tensor]
    """float32"""
    record: ModelRecord | None


def save(path: Path, tensors: Mapping[str, Tensor], record: ModelRecord) -> ModelRecord:
    """Write fp16 weights that carry their record; the file appears at once and whole.

    Returns
    -------
    ModelRecord
        As it stands in the file, with the hash of the tensors, the size and the place.

    Raises
    ------
    OSError
        The folder cannot be written to.
    """
    halves = {name: tensor.detach().half().cpu().contiguous() for name, tensor in tensors.items()}
    final = replace(record, sha256=digest(halves), file=path.name, bytes=0)
    content = safetensors.torch.save(halves, {KEY: json.dumps(records.to_json(final))})
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(part).chmod(0o644)
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return replace(final, file=str(path.resolve()), bytes=len(content))


def record_of(path: Path) -> ModelRecord | None:
    """Read what a file says it is, without its tensors; None: it says nothing.

    Raises
    ------
    ModelMissing
        There is no such file.
    ModelCorrupt
        It is no safetensors file, or its record is damaged.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            told = (file.metadata() or {}).get(KEY)
    except OSError as error:
        raise ModelMissing(f"{path}: {reason(error) or 'no such file'}") from None
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ModelCorrupt(f"{path} is not a safetensors file: {error}") from None
    if told is None:
        return None
    try:
        record = records.from_json(json.loads(told))
    except (ValueError, TypeError, KeyError) as error:
        raise ModelCorrupt(f"{path}: what it says of itself is damaged ({error})") from None
    return replace(record, file=str(path.resolve()), bytes=path.stat().st_size)


def read(path: Path) -> Weights:
    """Read a file and check its tensors against its record.

    Raises
    ------
    ModelMissing
        There is no such file.
    ModelCorrupt
        It is no safetensors file, or its tensors are not those it was written with.
    """
    record = record_of(path)
    try:
        tensors = safetensors.torch.load_file(path)
    except (OSError, safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ModelCorrupt(f"{path} is not a safetensors file: {error}") from None
    if record is not None and digest(tensors) != record.sha256:
        raise ModelCorrupt(f"{path}: its weights are not those it was written with")
    return Weights({name: tensor.float() for name, tensor in tensors.items()}, record)


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of tensors: names, types, shapes and values, in order of the names."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(tensor.view(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def variant_of(tensors: Mapping[str, Tensor]) -> UNetConfig | None:
    """Tell which network of the U-Net family weights without a record are of; None: of none.

    Names and shapes tell all but the enlarging without weights: bilinear, the usual one, is taken.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for config in _family(tensors):
        with torch.device("meta"):
            wanted = {name: tuple(t.shape) for name, t in UNet(config).state_dict().items()}
        if wanted == shapes:
            return config
    return None


def unnamed(tensors: Mapping[str, Tensor], usual: ModelRecord, task: str) -> ModelRecord:
    """Make a record for weights without one: for `task` of the family if they fit, else `usual`."""
    variant = variant_of(tensors)
    blank = replace(usual, data="", teacher="", command="", begun_from="", licence="not stated")
    if variant is not None:
        blank = replace(blank, architecture=FAMILY, variant=variant, tasks=(task,), input_size=320)
    return blank


def _family(tensors: Mapping[str, Tensor]) -> Iterator[UNetConfig]:
    first = tensors.get("encoder.levels.0.0.weight")
    if first is None and not any(name.startswith("encoder.layers.") for name in tensors):
        return
    encoder, width = ("densenet121", 64) if first is None else ("plain", int(first.shape[0]))
    choices = itertools.product(
        ("bilinear", "transposed", "pixelshuffle"), (False, True), (False, True), (True, False)
    )
    for upsampling, batch_norm, sobel, skips in choices:
        yield UNetConfig(
            encoder=encoder,  # type: ignore[arg-type]
            batch_norm=batch_norm,
            upsampling=upsampling,  # type: ignore[arg-type]
            sobel=sobel,
            width=width,
            skips=skips,
        )
