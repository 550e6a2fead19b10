"""Portrait Bokeh: from a layer to a group of three."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from gimp_plugin import arguments, group, rendering

if TYPE_CHECKING:
    from gimp_plugin.bindings import Gimp
    from gimp_plugin.call import Call


def run(call: Call) -> Gimp.ValueArray:
    """Blur a portrait; on a Bokeh group, re-render it with the given settings."""
    layer = call.layer()
    return run_on(call, layer, group.find(layer))


def run_on(call: Call, layer: Gimp.Layer, existing: group.Group | None) -> Gimp.ValueArray:
    """Blur a layer, or render a group again, with the given settings or those of the dialog."""
    if call.interactive:
        from gimp_plugin import dialog  # noqa: PLC0415 - Gtk only when a window opens

        return dialog.run(call, layer, existing)
    everywhere = call.config.get_property(arguments.EVERYWHERE)
    todo = dataclasses.replace(rendering.Render.of(layer, existing), everywhere=everywhere)
    if call.repeated:
        arguments.forget_point(call.config, todo.image)
    made = rendering.compute(todo, arguments.parameters_of(call.config))
    return rendering.answer(call, made)
