"""What is known of a weights file: where it comes from, and what its network is built from."""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, get_type_hints

from bokeh_core.networks.unet import UNetConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

SHARED = "shared-lite0"
"""Architecture of the shared network, `networks.shared`: people, animals and depth."""

FAMILY = "unet"
"""Architecture of the U-Net family, `networks.unet`: a matte or depth."""


@dataclass(frozen=True)
class ModelRecord:
    """Provenance of one weights file, and the description that rebuilds its network."""

    name: str
    tasks: tuple[str, ...]
    """Any of portrait (a matte), depth and hair."""
    architecture: str
    file: str
    sha256: str
    """Of a shipped or opened file; of the tensors (`weights_file.digest`) in an exported one."""
    bytes: int
    input_size: int
    """Side of a square with as many pixels as the picture the network looks at."""
    licence: str
    data: str
    teacher: str
    command: str
    begun_from: str = ""
    """SHA-256 of the weights that training went on from; empty: from ImageNet's encoder."""
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    """Of red, green and blue: the encoder sees `(rgb - mean) / std`; empty: the usual ones."""
    variant: UNetConfig | None = None
    """Which network of the U-Net family; None: none of it."""


def to_json(record: ModelRecord) -> dict[str, Any]:
    """Return the record as plain values."""
    return asdict(record)


def from_json(row: object) -> ModelRecord:
    """Read what `to_json` gave, from a file that anything may have happened to.

    Raises
    ------
    TypeError, KeyError
        Something is missing, unknown or of the wrong kind.
    """
    if not isinstance(row, dict):
        raise TypeError(f"{row!r} is no record")
    listed: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
    }
    needed = {field.name for field in fields(ModelRecord) if field.default is MISSING}
    missing = needed - set(listed)
    if missing:
        raise KeyError(f"no {', '.join(sorted(missing))}")
    if listed.get("variant") is not None:
        listed["variant"] = _variant(listed["variant"])
    record = ModelRecord(**listed)
    for field in fields(ModelRecord):
        if not _right(field, getattr(record, field.name)):
            raise TypeError(f"{field.name} is {getattr(record, field.name)!r}")
    return record


def _right(field: dataclasses.Field[Any], value: object) -> bool:
    if field.name == "variant":
        return value is None or isinstance(value, UNetConfig)
    if isinstance(value, tuple):
        kind: type | tuple[type, ...] = str if field.name == "tasks" else (int, float)
        wanted = {"tasks": (1, 3), "mean": (0, 3), "std": (0, 3)}.get(field.name)
        return (
            wanted is not None
            and len(value) in range(wanted[0], wanted[1] + 1)
            and all(isinstance(part, kind) for part in value)
        )
    return type(value).__name__ == field.type


def _variant(row: Mapping[str, Any]) -> UNetConfig:
    """Read a description of a network; `UNet` itself refuses unknown words."""
    kinds = get_type_hints(UNetConfig)
    for name, value in dict(row).items():
        kind = kinds.get(name)
        if kind in (bool, int) and type(value) is not kind:
            raise TypeError(f"variant {name} is {value!r}")
    return UNetConfig(**row)
