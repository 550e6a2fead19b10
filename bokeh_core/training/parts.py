"""Which pictures a run learns, which it steers by, and which it is scored on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bokeh_core.errors import InputError
from bokeh_core.training import layouts, suspects
from bokeh_core.training.items import LABELS_OF, Parts, partition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bokeh_core.training.identity import Run
    from bokeh_core.training.items import Item, Part


def split(run: Run) -> Parts:
    """Find the run's pictures that have a label of the task; `run.split` says what parts them.

    Raises
    ------
    InputError
        No picture that is learnt, or of the validation part, has a label that the task needs.
    """
    needed = LABELS_OF[run.recipe.task]
    found = suspects.without_masks(layouts.find(run.data, run.folders), run.unknown)
    parts = partition((item for item in found if item.labels & needed), run.split)
    learnt_from: tuple[Part, ...] = ("training", "validation")
    for name in learnt_from:
        for label in sorted(needed):
            if not any(label in item.labels for item in parts[name]):
                raise InputError(
                    f"{run.data}: no picture of the {name} part has a {label}, which "
                    f"{run.recipe.task} needs (of {len(found)} labelled pictures "
                    f"{len(parts['training'])} are to learn, {len(parts['validation'])} to "
                    f"validate with and {len(parts['test'])} for tests)"
                )
    return Parts(
        spread(parts["training"], run.limit),
        spread(parts["validation"], run.validation_limit),
        spread(parts["test"], run.test_limit),
    )


def tested(run: Run) -> list[Item]:
    """Return the run's test part.

    Raises
    ------
    InputError
        It is empty, or as `split`.
    """
    found = split(run).test
    if not found:
        label = " or a ".join(sorted(LABELS_OF[run.recipe.task]))
        raise InputError(f"{run.data}: no picture of the test part has a {label}")
    return found


def spread(items: Sequence[Item], limit: int) -> list[Item]:
    """Take `limit` pictures evenly from the list, so that every folder has its share; 0: all."""
    if not limit or limit >= len(items):
        return list(items)
    return [items[index * len(items) // limit] for index in range(limit)]
