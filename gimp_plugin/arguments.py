"""The settings as a procedure's arguments: read, filled in and, in a dialog, listened to."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from daemon.light.parameters import Parameters
from gimp_plugin.procedures import CLICKED_IN

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.light.planes import Plane
    from gimp_plugin.bindings import Gimp

EVERYWHERE = "ignore-selection"
"""Argument that says whether a first render pays no heed to the selection."""


def parameters_of(config: Gimp.ProcedureConfig) -> Parameters:
    """Read the settings from a procedure's arguments."""
    names = [field.name for field in dataclasses.fields(Parameters)]
    found: dict[str, Any] = {name: config.get_property(name.replace("_", "-")) for name in names}
    # GIMP hands an empty text over as none at all
    given = {name: each for name, each in found.items() if each is not None}
    return Parameters(**given)


def fill(config: Gimp.ProcedureConfig, parameters: Parameters) -> None:
    """Set what differs."""
    for name, value in parameters.record().items():
        choose(config, name.replace("_", "-"), value)


def choose(config: Gimp.ProcedureConfig, name: str, value: Any) -> None:
    """Set one argument, if it differs: GIMP tells of one that was set to what it was, too.

    Whoever did so while being told would be told for ever: such a signal begins anew.
    """
    if config.get_property(name) != value:
        config.set_property(name, value)


def forget_point(config: Gimp.ProcedureConfig, photo: Plane) -> None:
    """Go back to the subject when the point was clicked in another photo: it means nothing here."""
    elsewhere = config.get_property(CLICKED_IN) != photo.digest
    if elsewhere and config.get_property("focus") == "point":
        config.set_property("focus", "subject")
    if elsewhere and config.get_property("people") == "chosen":
        config.set_property("people", "main")


class Arguments:
    """The settings of an open dialog.

    Parameters
    ----------
    config
        The procedure's arguments, which GIMP's own widgets set as well.
    photo
        The photo that a point is clicked in.
    changed
        Called with the name of what somebody else than `put` has set.
    """

    def __init__(
        self, config: Gimp.ProcedureConfig, photo: Plane, changed: Callable[[str], None]
    ) -> None:
        self._config, self._photo, self._changed = config, photo, changed
        self._filling = False
        self._listening = 0
        config.set_property(CLICKED_IN, photo.digest)

    @property
    def now(self) -> Parameters:
        """What is set."""
        return parameters_of(self._config)

    @property
    def everywhere(self) -> bool:
        """Whether the blur pays no heed to the selection."""
        return bool(self._config.get_property(EVERYWHERE))

    def put(self, parameters: Parameters, *, everywhere: bool) -> None:
        """Set these, and tell nobody but the widgets."""
        self._filling = True
        fill(self._config, parameters)
        choose(self._config, EVERYWHERE, everywhere)
        self._filling = False

    def choose(self, name: str, value: Any) -> None:
        """Set one, as a widget of GIMP's does."""
        choose(self._config, name, value)

    def forget_loaded_point(self) -> None:
        """Leave out the point of another photo, which came with saved settings."""
        if self._config.get_property(CLICKED_IN) != self._photo.digest:
            forget_point(self._config, self._photo)
            self._config.set_property(CLICKED_IN, self._photo.digest)

    def listen(self) -> None:
        """Begin to tell of changes."""
        self._listening = self._config.connect("notify", self._on_change)

    def close(self) -> None:
        """Tell no more of them."""
        self._config.disconnect(self._listening)

    def _on_change(self, _: Gimp.ProcedureConfig, changed: Any) -> None:
        if not self._filling:
            self._changed(changed.name.replace("-", "_"))
