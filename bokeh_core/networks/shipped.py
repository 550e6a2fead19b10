"""The weights that come with the package; nothing that a user runs writes there."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors.torch

from bokeh_core.errors import ModelCorrupt, ModelMissing
from bokeh_core.networks import records

if TYPE_CHECKING:
    from torch import Tensor

    from bokeh_core.networks.records import ModelRecord

WEIGHTS = Path(__file__).parent.parent / "weights"
_INDEX = "registry.json"
"""One record per file."""


def index(folder: Path = WEIGHTS) -> dict[str, ModelRecord]:
    """Read the records of all shipped weights, by name.

    Raises
    ------
    ModelMissing, ModelCorrupt
        When the list of weights is absent or not readable.
    """
    path = folder / _INDEX
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(rows, list) or not rows:
            raise ValueError("no list of weights")  # noqa: TRY301 - worded below
        return {record.name: record for record in map(records.from_json, rows)}
    except FileNotFoundError:
        raise ModelMissing(f"{path} is missing: reinstall defocus (python3 install.py)") from None
    except (ValueError, TypeError, KeyError) as error:
        raise ModelCorrupt(
            f"{path} is damaged ({error}): reinstall defocus (python3 install.py)"
        ) from None


def write(record: ModelRecord, tensors: dict[str, Tensor], folder: Path) -> ModelRecord:
    """Write weights and their record into a folder of shipped ones, for who makes a release.

    Both are moved into place when they are whole. A kill between the two moves leaves new weights
    under an old record, which `verify` reports.
    """
    halves = {name: tensor.detach().half().contiguous() for name, tensor in tensors.items()}
    content = safetensors.torch.save(halves)
    digest = hashlib.sha256(content).hexdigest()
    final = replace(record, sha256=digest, bytes=len(content))
    known = index(folder) if (folder / _INDEX).exists() else {}
    known[final.name] = final
    rows = [_shown(item) for item in known.values()]
    listed = (json.dumps(rows, indent=2) + "\n").encode()
    files = {folder / record.file: content, folder / _INDEX: listed}
    for path, part in files.items():
        _beside(path).write_bytes(part)
    for path in files:
        _beside(path).replace(path)
    return final


def _shown(record: ModelRecord) -> dict[str, object]:
    """Leave out what the shipped networks do not need."""
    row = records.to_json(record)
    return {name: value for name, value in row.items() if value not in ((), None)}


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".part")
