"""Learning curves as CSV and as a picture."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bokeh_core.training.checkpoint import Measured


def write_csv(curve: Sequence[Measured], path: Path) -> None:
    """Write one line per report; validation columns are empty where none was made."""
    trained = list(curve[0].losses)
    checked = list(dict.fromkeys(name for line in curve for name in line.validation))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "step",
                "seconds",
                "size",
                "rate",
                *trained,
                *(f"validation {name}" for name in checked),
            ]
        )
        for line in curve:
            known = [line.validation.get(name, "") for name in checked]
            losses = [line.losses[name] for name in trained]
            writer.writerow(
                [line.step, f"{line.seconds:.1f}", line.size, line.rate, *losses, *known]
            )


def draw(curve: Sequence[Measured], path: Path) -> None:
    """Plot the training losses (smoothed) and the validation values.

    Without matplotlib (extra `[train]`) there is no picture: a training must not die of it.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        return
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps = [line.step for line in curve]
    for name in curve[0].losses:
        left.plot(steps, _smooth([line.losses[name] for line in curve]), label=name)
    left.set(xlabel="step", ylabel="training loss", yscale="log")
    left.legend()
    checked = [line for line in curve if line.validation]
    for name in checked[0].validation if checked else ():
        values = [line.validation[name] for line in checked]
        right.plot([line.step for line in checked], values, ".-", label=name)
    right.set(xlabel="step", ylabel="validation")
    if checked:
        right.legend()
    figure.savefig(path, dpi=110)


def _smooth(values: Sequence[float], keep: float = 0.8) -> list[float]:
    result: list[float] = []
    for value in values:
        result.append(value if not result else keep * result[-1] + (1 - keep) * value)
    return result
