"""What a run's weights say of themselves: the network, the data, the command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bokeh_core.networks import imagenet, records
from bokeh_core.networks.records import ModelRecord
from bokeh_core.networks.unet import UNetConfig
from bokeh_core.training.recipe import FURTHER, LENGTHS, PAPER, Recipe, of_family

if TYPE_CHECKING:
    from bokeh_core.training.identity import Run

INPUT_SIZE = 352
"""At which the shared network looks at photos (`ModelRecord.input_size`): the best of 352 to 448
at the outline of half-body training pictures; 384 was better at that of street photos."""

ASPECT = 0.75
"""Of the portraits that the family is trained on: its runs are sized by the long side."""

UNKNOWN = "not stated"
"""What a record says of the licence and the teacher when nobody named them."""


def record_of(run: Run, name: str, begun_from: str) -> ModelRecord:
    """Describe the weights of a run; licence and teacher are what only a person knows.

    Parameters
    ----------
    run
        What was trained.
    name
        Of the weights.
    begun_from
        SHA-256 of the weights that it went on from; empty: none.
    """
    shared = run.network is None
    task = run.recipe.task
    long_side = run.recipe.size(1.0)
    return ModelRecord(
        name=name,
        tasks=("portrait", "depth") if task == "joint" else (task,),
        architecture=records.SHARED if shared else records.FAMILY,
        file="",
        sha256="",
        bytes=0,
        input_size=INPUT_SIZE if shared else round(long_side * ASPECT**0.5),
        licence=UNKNOWN,
        data=", ".join(run.folders) or run.data.name,
        teacher=UNKNOWN,
        command=command(run),
        begun_from=begun_from,
        mean=(0.5, 0.5, 0.5) if shared else imagenet.MEAN,
        std=(0.5, 0.5, 0.5) if shared else imagenet.STD,
        variant=run.network,
    )


def command(run: Run) -> str:
    """Return the command without the places on this machine."""
    recipe = run.recipe
    words = [f"defocus train {run.recipe.task} --data DIR"]
    words += [f"--folders {','.join(run.folders)}"] if run.folders else []
    words += [f"--split {run.split}"] if run.split != "hash" else []
    words += [f"--limit {run.limit}"] if run.limit else []
    words += [f"--unknown LIST-OF-{len(run.unknown)}"] if run.unknown else []
    words += [f"--init {Path(run.init).name}"] if run.init else []
    length = next(name for name in LENGTHS if getattr(recipe, name))
    words += [f"--{length} {getattr(recipe, length):.10g} --seed {recipe.seed}"]
    words += _changes(recipe, _usual(run))
    words += [] if run.pretrained or run.init or run.network else ["[pretrained=False]"]
    words += _variant(run.network) if run.network else []
    return " ".join(words)


def _usual(run: Run) -> Recipe:
    if run.recipe.task != "joint":
        return of_family(run.recipe.task, run.recipe.optimiser)
    return FURTHER if run.init else Recipe()


def _variant(config: UNetConfig) -> list[str]:
    """Word the options of the family's network that are not the usual ones."""
    words = []
    for name, value in vars(config).items():
        option = f"--{name.replace('_', '-')}"
        if value is True and name != "skips":
            words.append(option)
        elif name == "skips" and not value:
            words.append("--no-skips")
        elif value != getattr(UNetConfig(), name):
            words.append(f"{option} {value}")
    return words


def _changes(recipe: Recipe, usual: Recipe) -> list[str]:
    """Word what differs from the usual recipe; brackets hold what no option sets."""
    said = {*LENGTHS, "seed", "task"}
    changed = {
        name: value
        for name, value in vars(recipe).items()
        if name not in said and value != getattr(usual, name)
    }
    changed |= {} if recipe.optimiser == _optimiser(recipe) else {"optimiser": recipe.optimiser}
    options = [
        "batch",
        "loss",
        "optimiser",
        "schedule",
        "precision",
        "momentum",
        "decay",
        "patience",
        "factor",
        "clip",
    ]
    words = [f"--{name} {changed.pop(name)}" for name in options if name in changed]
    words += [] if changed.pop("augmented", True) else ["--no-augment"]
    sides = [side for _, side in recipe.sizes]
    alike = len(sides) in (1, len(usual.sizes))
    if alike and changed.get("sizes") == usual.with_sizes(sides):
        del changed["sizes"]
        words.append(f"--size {','.join(map(str, sides))}")
    if "weights" in changed:
        pairs = (f"{folder}={times}" for folder, times in changed.pop("weights"))
        words.append(f"--weights {','.join(pairs)}")
    rates = changed.keys() & {"rate", "encoder_rate"}
    if rates and recipe.rate == recipe.encoder_rate:
        changed = {name: value for name, value in changed.items() if name not in rates}
        words.append(f"--rate {recipe.rate:.10g}")
    return words + [f"[{name}={value}]" for name, value in changed.items()]


def _optimiser(recipe: Recipe) -> str:
    """Name the optimiser that is taken when none is named."""
    return Recipe().optimiser if recipe.task == "joint" else PAPER.optimiser
