"""The user's own weights, each file with its record inside, and what is used by default."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import platformdirs

from bokeh_core.errors import ModelCorrupt, ModelMissing
from bokeh_core.networks import weights_file
from bokeh_core.networks.weights_file import SUFFIX

if TYPE_CHECKING:
    from bokeh_core.networks.records import ModelRecord

Use = Literal["matte", "depth", "hair"]
SHIPPED: dict[Use, str] = {"matte": "portrait", "depth": "portrait", "hair": "hair"}
"""Shipped weights that are used for what until somebody chooses otherwise."""

_CHOICE = "use.json"


def folder() -> Path:
    """Where the user's weights lie; `DEFOCUS_DATA_DIR` moves it."""
    own = os.environ.get("DEFOCUS_DATA_DIR", "")
    data = Path(own) if own else Path(platformdirs.user_data_dir("defocus", appauthor=False))
    return data / "models"


def index() -> dict[str, ModelRecord]:
    """Read the records of the user's weights, by the names of their files.

    A file that is damaged or says nothing of itself is left out; `find` says why.
    """
    found = ((path.stem, _sound(path)) for path in files())
    return {name: record for name, record in found if record is not None}


def files() -> list[Path]:
    """List the user's weights files, sound or not, by name."""
    return sorted(folder().glob(f"*{SUFFIX}"))


def file_of(name: str) -> Path | None:
    """Find the user's file of a name, which may come over a socket: it is no path."""
    return {path.stem: path for path in files()}.get(name)


def choices() -> dict[Use, str]:
    """Read what the user chose; what cannot be read chooses nothing."""
    try:
        read = json.loads((folder() / _CHOICE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(read, dict):
        return {}
    return {task: name for task in SHIPPED if isinstance(name := read.get(task), str)}


def choose(names: dict[Use, str]) -> None:
    """Write down what is used; what is usual anyway is left out."""
    others = {task: name for task, name in names.items() if name != SHIPPED[task]}
    path = folder() / _CHOICE
    if not others:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(others, indent=2) + "\n", encoding="utf-8")
    part.replace(path)


def _sound(path: Path) -> ModelRecord | None:
    try:
        return record_of(path)
    except (ModelCorrupt, ModelMissing):
        return None


def record_of(path: Path) -> ModelRecord:
    """Read the record of a file of the user, whose name is that of the file.

    Raises
    ------
    ModelMissing, ModelCorrupt
        It cannot be used.
    """
    record = weights_file.record_of(path)
    if record is None:
        raise ModelCorrupt(f"{path} does not say what network it is of")
    return replace(record, name=path.stem)
