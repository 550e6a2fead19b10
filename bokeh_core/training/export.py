"""Put the weights of a finished run into the package, with their provenance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bokeh_core.errors import InputError, ModelCorrupt
from bokeh_core.networks import registry
from bokeh_core.networks.registry import ModelRecord
from bokeh_core.training import runs, weights
from bokeh_core.training.recipe import FURTHER, LENGTHS, Recipe

if TYPE_CHECKING:
    from bokeh_core.training.loop import State
    from bokeh_core.training.runs import Run

INPUT_SIZE = 352
"""At which the exported network looks at photos (`ModelRecord.input_size`): the best of 352 to 448
at the outline of half-body training pictures; 384 was better at that of street photos."""

UNKNOWN = "not stated"
"""What a record says of the licence and the teacher when nobody named them."""


def embed(
    run: Run,
    state: State,
    name: str,
    folder: Path = registry.WEIGHTS,
    *,
    licence: str = UNKNOWN,
    teacher: str = UNKNOWN,
    keep: float = 0.0,
) -> ModelRecord:
    """Write `NAME.safetensors` and its record.

    Parameters
    ----------
    run, state
        What was trained, and the finished run whose running mean is written.
    licence
        Of the weights; it depends on the pictures, which do not say.
    teacher
        Who made the masks and depths that were learnt from.
    keep
        Share, 0 to 1, of the weights that the run began from: what it learnt against what it forgot
        (Wortsman et al., "Robust Fine-Tuning of Zero-Shot Models", 2022).

    Raises
    ------
    InputError
        The run trained a network that the library does not use by default, or began from no weights
        that a share could be kept of.
    ModelMissing, ModelCorrupt
        The weights that a share should be kept of are no longer there.
    """
    if run.network is not None:
        raise InputError("only the shared network (joint) can be embedded; use its run folder")
    if keep and not (run.init and 0 < keep < 1):
        raise InputError(f"keep is a share between 0 and 1 of the weights of --init, got {keep}")
    record = ModelRecord(
        name=name,
        tasks=("portrait", "depth"),
        architecture="shared-lite0",
        file=f"{name}.safetensors",
        sha256="",
        bytes=0,
        input_size=INPUT_SIZE,
        licence=licence,
        data=", ".join(run.folders) or run.data.name,
        teacher=teacher,
        command=_command(run) + (f" --keep {keep:g}" if keep else ""),
        begun_from=state.begun_from,
    )
    tensors = state.averaged
    if keep:
        begun = runs.network(run)
        if weights.load(begun, run.init) != state.begun_from:
            raise ModelCorrupt(f"{run.init} is no longer what the run began from: nothing to keep")
        before = begun.state_dict()
        tensors = {
            name: value.lerp(before[name].to(value), keep) for name, value in tensors.items()
        }
    return registry.embed(record, tensors, folder)


def _command(run: Run) -> str:
    """Give the command without the places on this machine."""
    recipe = run.recipe
    words = ["defocus train joint --data DIR"]
    words += [f"--folders {','.join(run.folders)}"] if run.folders else []
    words += [f"--limit {run.limit}"] if run.limit else []
    words += [f"--init {Path(run.init).name}"] if run.init else []
    length = next(name for name in LENGTHS if getattr(recipe, name))
    words += [f"--{length} {getattr(recipe, length):.10g} --seed {recipe.seed}"]
    words += _changes(recipe, FURTHER if run.init else Recipe())
    words += [] if run.pretrained or run.init else ["[pretrained=False]"]
    return " ".join(words)


def _changes(recipe: Recipe, usual: Recipe) -> list[str]:
    """Word what differs from the usual recipe; brackets hold what no option sets."""
    said = {*LENGTHS, "seed"}
    changed = {
        name: value
        for name, value in vars(recipe).items()
        if name not in said and value != getattr(usual, name)
    }
    options = ("batch", "optimiser", "schedule", "precision")
    words = [f"--{name} {changed.pop(name)}" for name in options if name in changed]
    if "sizes" in changed and len(recipe.sizes) == 1:
        del changed["sizes"]
        words.append(f"--size {recipe.size(1.0)}")
    rates = changed.keys() & {"rate", "encoder_rate"}
    if rates and recipe.rate == recipe.encoder_rate:
        changed = {name: value for name, value in changed.items() if name not in rates}
        words.append(f"--rate {recipe.rate:.10g}")
    return words + [f"[{name}={value}]" for name, value in changed.items()]
