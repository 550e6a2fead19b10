"""A run's settings as a TOML file: every run writes one, and a run can be begun from one."""

from __future__ import annotations

import sys
from dataclasses import MISSING, asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from bokeh_core import extras
from bokeh_core.errors import InputError, ModelMissing
from bokeh_core.networks.unet import UNetConfig
from bokeh_core.training.items import Split
from bokeh_core.training.precision import Precision
from bokeh_core.training.recipe import Optimiser, Schedule, Task

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from bokeh_core.training.identity import Run

Settings = TypeVar("Settings", bound="DataclassInstance")

_ELSEWHERE = ("folder", "recipe", "network")
"""Of a run: where it lies is no setting; the others are tables of their own."""

_WORDS = {"task": Task, "optimiser": Optimiser, "schedule": Schedule, "precision": Precision}
_WORDS["split"] = Split


def write(run: Run, path: Path) -> None:
    """Write all settings of a run, those left to the defaults too.

    Raises
    ------
    ModelMissing
        The extra `[train]` is not installed.
    """
    try:
        import tomli_w  # noqa: PLC0415
    except ImportError:
        raise ModelMissing(f"tomli-w is needed: {extras.how_to_get('train')}") from None
    own = {name: value for name, value in vars(run).items() if name not in _ELSEWHERE}
    own |= {"data": str(run.data.resolve()), "unknown": sorted(run.unknown)}
    parts: dict[str, Any] = {**own, "recipe": asdict(run.recipe)}
    if run.network is not None:
        parts["network"] = asdict(run.network)
    known = {name: value for name, value in parts.items() if value is not None}
    text = "# settings of a training: defocus train TASK --config FILE\n" + tomli_w.dumps(known)
    fresh = path.with_name(path.name + ".part")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def read(path: Path, base: Run) -> Run:
    """Read the settings that a file has; the others are those of `base`.

    Raises
    ------
    InputError
        It cannot be read, or has a setting that there is not, or one of another type.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"cannot read the settings {path}: {error}") from None
    recipe, network = (_table(path, found, name) for name in ("recipe", "network"))
    taken = _taken(path, found, base)
    for name, kind in (("data", Path), ("unknown", frozenset)):
        if name in taken:
            taken[name] = kind(taken[name])
    changed = replace(base, **taken, recipe=_filled(path, base.recipe, recipe))
    if not network:
        return changed
    return replace(changed, network=_filled(path, base.network or UNetConfig(), network))


def _table(path: Path, found: dict[str, Any], name: str) -> dict[str, Any]:
    table = found.pop(name, {})
    if not isinstance(table, dict):
        raise InputError(f"{path}: {name} must be a table")
    return table


def _filled(path: Path, base: Settings, found: dict[str, Any]) -> Settings:
    return replace(base, **_taken(path, found, base))


def _taken(path: Path, found: dict[str, Any], base: DataclassInstance) -> dict[str, Any]:
    """Check that every name is a field of `base`, and every value of its default's type."""
    known = {field.name: field for field in fields(base) if field.name not in _ELSEWHERE}
    taken = {}
    for name, value in found.items():
        if name not in known:
            raise InputError(f"{path}: there is no setting {name}; there are: {', '.join(known)}")
        taken[name] = _plain(value)
        default = known[name].default
        usual = type(getattr(base, name) if default is MISSING else default)
        if not _fits(taken[name], usual):
            raise InputError(f"{path}: {name} is {value!r}, which is no {_KINDS[usual]}")
        words = get_args(_WORDS.get(name))
        if words and value not in words:
            raise InputError(f"{path}: {name} is {value!r}; it can be {', '.join(words)}")
    return taken


_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    tuple: "list",
    frozenset: "list",
    type(None): "number",
    type(Path()): "text",
}


def _fits(value: Any, usual: type) -> bool:
    if usual in (float, type(None)):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if usual in (tuple, frozenset):
        return isinstance(value, tuple)
    if issubclass(usual, Path):
        return isinstance(value, str)
    return type(value) is usual


def _plain(value: Any) -> Any:
    """Turn lists into tuples, as the settings have them."""
    return tuple(map(_plain, value)) if isinstance(value, list) else value
