"""What a model may be asked for: everything that takes the name of one refuses in these words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bokeh_core.errors import InputError, ModelError
from bokeh_core.networks import hub, registry

if TYPE_CHECKING:
    from bokeh_core.networks.hub import Task
    from bokeh_core.networks.own import Use

_WORDS = {"matte": "gives depth, no mattes", "depth": "gives mattes, no depth"}


def check(model: str, wanted: Task) -> None:
    """Refuse a model of the other task; the default network gives matte and depth.

    Raises
    ------
    InputError
        It would run, and leave what is wanted as the default network has it.
    """
    check_sees(model)
    if model in hub.MODELS:
        wrong = hub.MODELS[model].task != wanted
    else:
        wrong = wanted not in _given(model, wanted)
    if wrong:
        raise InputError(f"{_shown(model)} {_WORDS[wanted]}: see defocus models list")


def check_sees(model: str) -> None:
    """Refuse weights that only refine what another network has seen.

    Raises
    ------
    InputError
        They give neither mattes nor depth.
    """
    if model not in hub.MODELS and _given(model, "matte") == ("hair",):
        raise InputError(f"{_shown(model)} only refines mattes: name a model that gives them")


def _given(model: str, wanted: Use) -> tuple[Use, ...]:
    """Tell what weights give; what is not there is complained of when it is needed."""
    try:
        return registry.gives(model) if model else (wanted,)
    except ModelError:
        return (wanted,)


def _shown(model: str) -> str:
    """Name weights as the user did: an opened file by its path."""
    file = registry.opened_from(model)
    return model if file is None else str(file)
