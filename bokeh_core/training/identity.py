"""What a checkpoint belongs to: all that decides a run, apart from its length."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bokeh_core.training.recipe import LENGTHS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bokeh_core.training.layouts import Item
    from bokeh_core.training.runs import Run


def describe(run: Run, learnt: Sequence[Item], begun_from: str) -> dict[str, Any]:
    """Name what must stay the same between a stop and going on, by plain values.

    Parameters
    ----------
    run
        Its recipe (a longer one may go on), network, folders and limit count; its places do not.
    learnt
        The training pictures: their keys in this order.
    begun_from
        SHA-256 of the weights of `--init`; empty: none.
    """
    recipe = {name: value for name, value in asdict(run.recipe).items() if name not in LENGTHS}
    network = {"pretrained": run.pretrained} if run.network is None else asdict(run.network)
    keys = "\n".join(item.key for item in learnt)
    return {
        **recipe,
        **network,
        "init": begun_from[:12],
        "folders": ",".join(run.folders),
        "limit": run.limit or "none",
        # these pictures decide when a plateau's rate falls
        **({"test pictures": run.validation_limit} if run.recipe.schedule == "plateau" else {}),
        "pictures": f"{len(learnt)} ({hashlib.sha256(keys.encode()).hexdigest()[:12]})",
    }


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Word what is not as before; what only one of them names counts as unknown, not as other."""
    return [
        f"{name} {_word(before[name])}, now {_word(value)}"
        for name, value in now.items()
        if before.get(name, value) != value
    ]


def _word(value: Any) -> Any:
    return "none" if value in ("", None) else value
