"""Portrait Bokeh: from a layer to a group of three."""

from __future__ import annotations

import dataclasses
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GObject  # noqa: E402

from gimp_plugin import group, rendering, source  # noqa: E402
from gimp_plugin.parameters import Parameters  # noqa: E402


def run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    _data: Any,
) -> Gimp.ValueArray:
    """Blur a portrait; on a Bokeh group, re-render it with the given settings."""
    layer = source.active_layer(image, drawables)
    existing = group.find(layer)
    if run_mode == Gimp.RunMode.INTERACTIVE:
        from gimp_plugin import dialog  # noqa: PLC0415 - Gtk only when a window opens

        return dialog.run(procedure, config, layer, existing)
    return answer(procedure, rendering.render(layer, existing, parameters_of(config)))


def parameters_of(config: Gimp.ProcedureConfig) -> Parameters:
    """Read the settings from the procedure's arguments."""
    names = [field.name for field in dataclasses.fields(Parameters)]
    return Parameters(**{name: config.get_property(name.replace("_", "-")) for name in names})


def answer(procedure: Gimp.Procedure, made: group.Group) -> Gimp.ValueArray:
    """Give the group and its members back to the caller."""
    layers = [made.layer, *(made.member(role) for role in ("composite", "mask", "depth"))]
    return returned(procedure, layers)


def returned(procedure: Gimp.Procedure, layers: list[Gimp.Layer | None]) -> Gimp.ValueArray:
    """Make the return values of a procedure that gives layers back."""
    values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)
    for position, layer in enumerate(layers, start=1):
        values.remove(position)
        values.insert(position, GObject.Value(Gimp.Layer, layer))
    return values
