"""Weights by name: the shipped ones, those that the user exported, and files opened by path.

Shipped weights (`shipped`) are written by nothing that a user runs; what `defocus train --export`
makes lies in the user's data folder (`own`).
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import safetensors
import safetensors.torch

from bokeh_core.errors import InputError, ModelCorrupt, ModelError, ModelMissing, reason
from bokeh_core.networks import hub, own, shipped, weights_file
from bokeh_core.networks.weights_file import SUFFIX

if TYPE_CHECKING:
    from torch import Tensor

    from bokeh_core.networks.own import Use
    from bokeh_core.networks.records import ModelRecord

WEIGHTS = shipped.WEIGHTS
DEFAULT = own.SHIPPED["matte"]
"""The network that `portrait_matte` and `estimate_depth` use unless told otherwise."""

_GIVES: dict[str, tuple[Use, ...]] = {
    "portrait": ("matte",),
    "depth": ("depth",),
    "hair": ("hair",),
}

_OPENED: dict[str, ModelRecord] = {}


def find(name: str, folder: Path = WEIGHTS) -> ModelRecord:
    """Return the record of `name`: an opened file, shipped weights or the user's.

    Raises
    ------
    ModelMissing
        There are none of that name; the message says which there are.
    ModelCorrupt
        The user's file of that name is damaged.
    """
    if name in _OPENED:
        return _OPENED[name]
    known = shipped.index(folder)
    if name in known:
        return known[name]
    path = own.file_of(name)
    if path is not None:
        return own.record_of(path)
    if name in own.choices().values():
        raise ModelMissing(
            f"the weights {name}, which you chose to use, are gone: `defocus models use {DEFAULT}` "
            "goes back to the shipped ones"
        )
    raise ModelMissing(
        f"no weights named {name!r}; there are: {', '.join([*known, *own.index()])} "
        "(defocus models list shows the optional models too)"
    )


def open_file(path: Path, task: Literal["portrait", "depth"] = "portrait") -> ModelRecord:
    """Make a weights file usable in this process, under the name of the record.

    What it does not say of itself is told by its names and shapes when they are of the U-Net family
    (`task`: what it is for, which they do not tell); else it has to be the default network's, which
    shows when it is loaded. A function of its own, as names may come over a socket and should not
    open files.

    Raises
    ------
    ModelMissing
        When the file is absent or not readable.
    ModelCorrupt
        When what it says of itself is damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelMissing(f"{path}: {reason(error)}") from None
    usual = replace(find(DEFAULT), file=str(path.resolve()), bytes=len(content))
    record = _described(path, content, usual, task)
    digest = hashlib.sha256(content + task.encode()).hexdigest()  # the file may change
    record = replace(record, name=digest, sha256=hashlib.sha256(content).hexdigest())
    _OPENED[record.name] = record
    return record


def opened_from(name: str) -> Path | None:
    """Return the file that a name of `open_file` stands for."""
    return Path(_OPENED[name].file) if name in _OPENED else None


def _described(path: Path, content: bytes, usual: ModelRecord, task: str) -> ModelRecord:
    try:
        tensors = safetensors.torch.load(content)
    except (safetensors.SafetensorError, ValueError, KeyError):
        return usual  # refused when it is loaded
    return weights_file.record_of(path) or weights_file.unnamed(tensors, usual, task)


def remedy(record: ModelRecord) -> str:
    """End of a complaint about the file; who gave one by name knows best where it came from."""
    if record.name in _OPENED:
        return ""
    if Path(record.file).is_absolute():
        return f": defocus models remove {record.name}"
    return ": restore it with python3 install.py"


def verify(record: ModelRecord, folder: Path = WEIGHTS) -> bytes:
    """Return the content of a shipped or opened file after checking its hash.

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
        raise ModelMissing(f"{path}: {reason(error)}{remedy(record)}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != record.sha256:
        raise ModelCorrupt(
            f"{path} is not the weights file it should be (SHA-256 {found[:12]}..., expected "
            f"{record.sha256[:12]}...){remedy(record)}"
        )
    return content


def load_tensors(record: ModelRecord, folder: Path = WEIGHTS) -> dict[str, Tensor]:
    """Return the checked weights as float32 tensors."""
    if Path(record.file).is_absolute() and record.name not in _OPENED:
        return weights_file.read(Path(record.file)).tensors
    content = verify(record, folder)
    try:
        tensors = safetensors.torch.load(content)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ModelCorrupt(
            f"{folder / record.file} is not a safetensors file ({error}){remedy(record)}"
        ) from None
    return {name: tensor.float() for name, tensor in tensors.items()}


def check_new(name: str) -> Path:
    """Return the place of new weights of the user; nothing that is there is ever replaced.

    Raises
    ------
    InputError
        The name is taken.
    """
    if name in shipped.index() or name in hub.MODELS:
        raise InputError(f"{name} is the name of a model that defocus knows: choose another")
    path = own.folder() / f"{name}{SUFFIX}"
    if path.exists():
        raise InputError(
            f"{path} is there already: choose another name, or first `defocus models remove {name}`"
        )
    return path


def export(record: ModelRecord, tensors: dict[str, Tensor]) -> ModelRecord:
    """Write weights under `record.name` into the user's data folder; raises as `check_new`."""
    return weights_file.save(check_new(record.name), tensors, record)


def add(path: Path, name: str) -> ModelRecord:
    """Take a copy of a weights file that says what it is into the user's data folder.

    Raises
    ------
    InputError
        The name is taken, or the file says nothing of itself.
    ModelMissing, ModelCorrupt
        The file cannot be used.
    """
    place = check_new(name)
    weights = weights_file.read(path)
    if weights.record is None:
        raise InputError(
            f"{path} does not say what network it is of: the weights of `defocus train` do"
        )
    return weights_file.save(place, weights.tensors, replace(weights.record, name=name))


def remove(name: str) -> Path:
    """Delete the user's weights of a name, or a fetched model; returns what was deleted.

    Where it was used, the shipped weights are used again.

    Raises
    ------
    ModelMissing
        There are none, or they are shipped.
    """
    if name in hub.MODELS and hub.folder(hub.MODELS[name]).is_dir():
        place = hub.folder(hub.MODELS[name])
        shutil.rmtree(place)
        _forget(name)
        return place
    path = own.file_of(name)
    if path is None:
        raise ModelMissing(
            f"{name}: not among your own weights: {', '.join(own.index()) or 'none'}"
        )
    path.unlink()
    path.with_suffix(".md").unlink(missing_ok=True)  # its card
    _forget(name)
    return path


def _forget(name: str) -> None:
    own.choose({task: chosen for task, chosen in own.choices().items() if chosen != name})


def stamp(name: str) -> str:
    """Name what a result depends on: the weights of a name, not the name; "" where none are."""
    if name in hub.MODELS:
        return hub.MODELS[name].sha256
    try:
        return find(name).sha256
    except ModelError:
        return ""  # said when they are needed


def gives(name: str) -> tuple[Use, ...]:
    """Tell what weights, or an optional model, can be used for; raises as `find`."""
    if name in hub.MODELS:
        return (hub.MODELS[name].task,)
    return tuple(use for task in find(name).tasks for use in _GIVES[task])


def use(name: str) -> tuple[Use, ...]:
    """Use a model by default for all that it gives; returns what that is.

    Raises
    ------
    ModelMissing, ModelCorrupt
        It cannot be used.
    """
    found = gives(name)
    if name in hub.MODELS:
        hub.check(hub.MODELS[name])
    else:
        load_tensors(find(name))
    own.choose({**own.choices(), **dict.fromkeys(found, name)})
    return found


def chosen(task: Use) -> str:
    """Name what is used for a task when a request names nothing."""
    return own.choices().get(task, own.SHIPPED[task])
