"""Put the weights of a finished run among the user's own, with their provenance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bokeh_core.errors import InputError, ModelCorrupt
from bokeh_core.networks import model_card, own, registry
from bokeh_core.training import provenance, runs, weights
from bokeh_core.training.provenance import UNKNOWN

if TYPE_CHECKING:
    from bokeh_core.networks.records import ModelRecord
    from bokeh_core.training.checkpoint import State
    from bokeh_core.training.identity import Run


def export(
    run: Run,
    state: State,
    name: str,
    *,
    licence: str = UNKNOWN,
    teacher: str = UNKNOWN,
    keep: float = 0.0,
) -> ModelRecord:
    """Write the weights of a run, and their card, under a name into the user's data folder.

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
        The name is taken, or the run began from no weights that a share could be kept of.
    ModelMissing, ModelCorrupt
        The weights that a share should be kept of are no longer there.
    """
    if keep and not (run.init and 0 < keep < 1):
        raise InputError(f"keep is a share between 0 and 1 of the weights of --init, got {keep}")
    record = replace(
        provenance.record_of(run, name, state.begun_from), licence=licence, teacher=teacher
    )
    tensors = state.averaged
    if keep:
        record = replace(record, command=f"{record.command} --keep {keep:g}")
        begun = runs.network(run)
        if weights.load(begun, run.init) != state.begun_from:
            raise ModelCorrupt(f"{run.init} is no longer what the run began from: nothing to keep")
        before = begun.state_dict()
        tensors = {
            name: value.lerp(before[name].to(value), keep) for name, value in tensors.items()
        }
    final = registry.export(record, tensors)
    model_card.write(final, own.folder() / final.file)
    return final
