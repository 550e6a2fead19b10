"""The embedded weights: what each file is, where it comes from; loaded only when it is that.

`weights/registry.json` holds one record per file, written by `defocus train ... --export`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors
import safetensors.torch

from bokeh_core.errors import ModelCorrupt, ModelMissing

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS = Path(__file__).parent.parent / "weights"
DEFAULT = "portrait"
"""The network that `portrait_matte` and `estimate_depth` use unless told otherwise."""

_INDEX = "registry.json"

_OPENED: dict[str, ModelRecord] = {}


@dataclass(frozen=True)
class ModelRecord:
    """Provenance of one weights file."""

    name: str
    tasks: tuple[str, ...]
    architecture: str
    file: str
    sha256: str
    bytes: int
    input_size: int
    """Side of a square with as many pixels as the picture the network looks at."""
    licence: str
    data: str
    teacher: str
    command: str
    begun_from: str = ""
    """SHA-256 of the weights that training went on from; empty: from ImageNet's encoder."""


def records(folder: Path = WEIGHTS) -> dict[str, ModelRecord]:
    """Read the records of all embedded weights, by name.

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
        return {record.name: record for record in map(_record, rows)}
    except FileNotFoundError:
        raise ModelMissing(f"{path} is missing: reinstall defocus (python3 install.py)") from None
    except (ValueError, TypeError, KeyError) as error:
        raise ModelCorrupt(
            f"{path} is damaged ({error}): reinstall defocus (python3 install.py)"
        ) from None


def find(name: str, folder: Path = WEIGHTS) -> ModelRecord:
    """Return the record of `name`; ModelMissing names the ones there are."""
    if name in _OPENED:
        return _OPENED[name]
    known = records(folder)
    if name not in known:
        raise ModelMissing(
            f"no embedded weights named {name!r}; there are: {', '.join(known)} "
            "(defocus models list shows the optional models too)"
        )
    return known[name]


def open_file(path: Path, input_size: int) -> ModelRecord:
    """Make a weights file usable in this process as if embedded, under the name of the record.

    Its architecture has to be the default network's, which shows when it is loaded. A function of
    its own, as names may come over a socket and should not open files.

    Raises
    ------
    ModelMissing
        When the file is absent or not readable.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelMissing(f"{path}: {error.strerror or error}") from None
    digest = hashlib.sha256(content).hexdigest()
    record = replace(
        find(DEFAULT),
        name=digest,  # networks are kept by name, and the file may change
        file=str(path.resolve()),
        sha256=digest,
        bytes=len(content),
        input_size=input_size,
        data="",
        teacher="",
        command="",
        begun_from="",
    )
    _OPENED[record.name] = record
    return record


def remedy(record: ModelRecord) -> str:
    """End of a complaint about the file; who gave one by name knows best where it came from."""
    return "" if record.name in _OPENED else ": restore it with python3 install.py"


def verify(record: ModelRecord, folder: Path = WEIGHTS) -> bytes:
    """Return the file's content after checking its hash.

    Raises
    ------
    ModelMissing
        When the file is absent or not readable.
    ModelCorrupt
        When it is not the recorded file.
    """
    path = folder / record.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelMissing(f"{path}: {error.strerror or error}{remedy(record)}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != record.sha256:
        raise ModelCorrupt(
            f"{path} is not the weights file it should be (SHA-256 {found[:12]}..., expected "
            f"{record.sha256[:12]}...){remedy(record)}"
        )
    return content


def load_tensors(record: ModelRecord, folder: Path = WEIGHTS) -> dict[str, Tensor]:
    """Return the checked weights as float32 tensors."""
    content = verify(record, folder)
    try:
        tensors = safetensors.torch.load(content)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ModelCorrupt(
            f"{folder / record.file} is not a safetensors file ({error}){remedy(record)}"
        ) from None
    return {name: tensor.float() for name, tensor in tensors.items()}


def embed(record: ModelRecord, tensors: dict[str, Tensor], folder: Path = WEIGHTS) -> ModelRecord:
    """Write weights as fp16 safetensors and their record (hash and size filled in) to `folder`.

    Both are moved into place when they are whole. A kill between the two moves leaves new weights
    under an old record, which `verify` reports.
    """
    halves = {name: tensor.detach().half().contiguous() for name, tensor in tensors.items()}
    content = safetensors.torch.save(halves)
    digest = hashlib.sha256(content).hexdigest()
    final = ModelRecord(**{**asdict(record), "sha256": digest, "bytes": len(content)})
    known = records(folder) if (folder / _INDEX).exists() else {}
    known[final.name] = final
    rows = [asdict(item) for item in known.values()]
    index = (json.dumps(rows, indent=2) + "\n").encode()
    files = {folder / record.file: content, folder / _INDEX: index}
    for path, part in files.items():
        _beside(path).write_bytes(part)
    for path in files:
        _beside(path).replace(path)
    return final


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _record(row: dict[str, object]) -> ModelRecord:
    if not isinstance(row, dict):
        raise TypeError(f"{row!r} is no record")
    listed = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
    }
    needed = {field.name for field in fields(ModelRecord) if field.default is MISSING}
    missing = needed - set(listed)
    if missing:
        raise KeyError(f"no {', '.join(sorted(missing))}")
    record = ModelRecord(**listed)  # type: ignore[arg-type]
    for field in fields(ModelRecord):
        value = getattr(record, field.name)
        if field.name == "tasks":
            right = isinstance(value, tuple) and all(isinstance(task, str) for task in value)
        else:
            right = type(value).__name__ == field.type
        if not right:
            raise TypeError(f"{field.name} is {value!r}")
    return record
