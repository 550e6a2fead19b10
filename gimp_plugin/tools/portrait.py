"""Portrait Bokeh: from a layer to a group of three."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from gimp_plugin import group, rendering
from gimp_plugin.parameters import Parameters
from gimp_plugin.procedures import CLICKED_IN

if TYPE_CHECKING:
    from gimp_plugin.bindings import Gimp
    from gimp_plugin.call import Call
    from gimp_plugin.planes import Plane


def run(call: Call) -> Gimp.ValueArray:
    """Blur a portrait; on a Bokeh group, re-render it with the given settings."""
    layer = call.layer()
    existing = group.find(layer)
    if call.interactive:
        from gimp_plugin import dialog  # noqa: PLC0415 - Gtk only when a window opens

        return dialog.run(call, layer, existing)
    todo = rendering.Render.of(layer, existing)
    if call.repeated:
        forget_point(call.config, todo.image)
    return answer(call, rendering.compute(todo, parameters_of(call.config)))


def forget_point(config: Gimp.ProcedureConfig, photo: Plane) -> None:
    """Go back to the subject when the point was clicked in another photo: it means nothing here."""
    elsewhere = config.get_property(CLICKED_IN) != photo.digest
    if elsewhere and config.get_property("focus") == "point":
        config.set_property("focus", "subject")


def parameters_of(config: Gimp.ProcedureConfig) -> Parameters:
    """Read the settings from the procedure's arguments."""
    names = [field.name for field in dataclasses.fields(Parameters)]
    return Parameters(**{name: config.get_property(name.replace("_", "-")) for name in names})


def answer(call: Call, made: group.Group) -> Gimp.ValueArray:
    """Give the group and its members back to the caller."""
    return call.done(made.layer, *map(made.member, ("composite", "mask", "depth")))
