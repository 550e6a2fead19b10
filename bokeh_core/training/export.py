"""Put the weights of a finished run into the package, with their provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bokeh_core.errors import InputError
from bokeh_core.networks import registry
from bokeh_core.networks.registry import ModelRecord
from bokeh_core.training import weights

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

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
    return registry.embed(record, blended(run, state), folder)


def blended(run: Run, state: State) -> dict[str, Tensor]:
    """Mix the running mean with the weights the run began from, as the recipe says.

    A short further training forgets some of what it is not shown often: the first one lost the face
    of the sample portrait in its matte, which the mean of both has, with the overlap of the better
    of the two (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022).

    Raises
    ------
    InputError
        The weights that the run began from are no longer what `--init` names.
    """
    if not run.init or not run.recipe.keep:
        return state.averaged
    start = weights.find(run.init)
    if start.sha256 != state.begun_from:
        raise InputError(
            f"--init {run.init} is SHA-256 {start.sha256[:12]}... now, the run began from "
            f"{state.begun_from[:12]}...: the exported weights keep a part of those"
        )
    return {
        name: value.cpu().lerp(start.tensors[name], run.recipe.keep)
        for name, value in state.averaged.items()
    }


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
