"""Refocus Here: render with the focus on the selection's centre or a given point."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from daemon.light.errors import PluginError
from daemon.light.parameters import Parameters
from daemon.light.words import tr
from gimp_plugin import group, rendering
from gimp_plugin.bindings import Gimp

if TYPE_CHECKING:
    from gimp_plugin.call import Call


def run(call: Call) -> Gimp.ValueArray:
    """Move the focus, or make a group with it; without a selection the dialog asks for a point."""
    existing = group.made_from(call.layer())
    parameters = Parameters() if existing is None else existing.record.parameters
    if parameters.resolved().style == "paper":
        raise PluginError(
            tr(
                "The paper's blur has no focus: it goes by depth alone. Choose Re-render and there "
                "another style of blur."
            )
        )
    layer = call.layer() if existing is None else existing.source()
    given = call.config.get_property("x"), call.config.get_property("y")
    if call.interactive:
        if Gimp.Selection.is_empty(call.image):
            again = "portrait" if existing is None else "rerender"
            return call.ask(f"plug-in-bokeh-{again}")
        given = (-1.0, -1.0)
    x, y = given if min(given) >= 0 else _selection_centre(call.image, layer)
    parameters = dataclasses.replace(parameters, focus="point", focus_x=x, focus_y=y)
    return rendering.answer(call, rendering.render(layer, existing, parameters, everywhere=True))


def _selection_centre(image: Gimp.Image, layer: Gimp.Layer) -> tuple[float, float]:
    """Return the centre of the selection's bounds as fractions of a layer's size."""
    _, any_selected, left, top, right, bottom = Gimp.Selection.bounds(image)
    if not any_selected:
        raise PluginError(
            tr(
                "Nothing is selected. Draw a small selection around what is to be sharp, and try "
                "again."
            )
        )
    _, x, y = layer.get_offsets()
    at = (
        ((left + right) / 2 - x) / layer.get_width(),
        ((top + bottom) / 2 - y) / layer.get_height(),
    )
    if min(at) < 0 or max(at) > 1:
        raise PluginError(
            tr('The selection lies outside of the layer "{layer}".').format(layer=layer.get_name())
        )
    return at
