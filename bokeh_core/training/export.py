"""Put the weights of a finished run into the package, with their provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bokeh_core.errors import InputError
from bokeh_core.networks import registry
from bokeh_core.networks.registry import ModelRecord

if TYPE_CHECKING:
    from pathlib import Path

    from bokeh_core.training.loop import State
    from bokeh_core.training.runs import Run

INPUT_SIZE = 352
"""At which the exported network looks at photos (`ModelRecord.input_size`): the best of 288 to 448
on training pictures, both in overlap and at the outline."""


def embed(run: Run, state: State, name: str, folder: Path = registry.WEIGHTS) -> ModelRecord:
    """Write `NAME.safetensors` and its record.

    Raises
    ------
    InputError
        The run trained a network that the library does not use by default.
    """
    if run.network is not None:
        raise InputError("only the shared network (joint) can be embedded; use its run folder")
    record = ModelRecord(
        name=name,
        tasks=("portrait", "depth"),
        architecture="shared-lite0",
        file=f"{name}.safetensors",
        sha256="",
        bytes=0,
        input_size=INPUT_SIZE,
        licence="MIT",
        data=", ".join(run.folders) or run.data.name,
        teacher="human masks for the matte; TCMonoDepth small (MIT, Li et al. 2021) for disparity",
        command=_command(run),
        begun_from=state.begun_from,
    )
    return registry.embed(record, state.averaged, folder)


def _command(run: Run) -> str:
    recipe = run.recipe
    lengths = (
        ("--steps", recipe.steps),
        ("--epochs", recipe.epochs),
        ("--minutes", recipe.minutes),
    )
    flag, length = next((flag, value) for flag, value in lengths if value)
    folders = f" --folders {','.join(run.folders)}" if run.folders else ""
    init = f" --init {run.init}" if run.init else ""
    return f"defocus train joint --data DIR{folders}{init} {flag} {length:g} --seed {recipe.seed}"
