"""What a model may be asked for: everything that takes the name of one refuses in these words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bokeh_core.errors import InputError
from bokeh_core.networks import hub

if TYPE_CHECKING:
    from bokeh_core.networks.hub import Task

_WORDS = {"matte": "gives depth, no mattes", "depth": "gives mattes, no depth"}


def check(model: str, wanted: Task) -> None:
    """Refuse an optional model of the other task; embedded weights give matte and depth.

    Raises
    ------
    InputError
        It would run, and leave what is wanted as the default network has it.
    """
    optional = hub.MODELS.get(model)
    if optional is not None and optional.task != wanted:
        raise InputError(f"{model} {_WORDS[wanted]}: see defocus models list")
