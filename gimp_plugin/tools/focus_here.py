"""Focus Here: re-render with the focus on the selection's centre or a given point."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from gimp_plugin import rendering
from gimp_plugin.bindings import Gimp
from gimp_plugin.errors import PluginError
from gimp_plugin.tools.portrait import answer
from gimp_plugin.tools.rerender import existing_group

if TYPE_CHECKING:
    from gimp_plugin.call import Call


def run(call: Call) -> Gimp.ValueArray:
    """Move the focus; interactively without a selection, ask for the point in the dialog."""
    existing = existing_group(call.layer())
    if existing.record.parameters.resolved().style == "paper":
        raise PluginError(
            "The paper's blur has no focus: it goes by depth alone. Choose Re-render and there the "
            "style Lens."
        )
    layer = existing.source()
    given = call.config.get_property("x"), call.config.get_property("y")
    if call.interactive:
        if Gimp.Selection.is_empty(call.image):
            return call.ask("plug-in-bokeh-rerender")
        given = (-1.0, -1.0)
    x, y = given if min(given) >= 0 else _selection_centre(call.image, layer)
    parameters = dataclasses.replace(
        existing.record.parameters, focus="point", focus_x=x, focus_y=y
    )
    return answer(call, rendering.render(layer, existing, parameters))


def _selection_centre(image: Gimp.Image, layer: Gimp.Layer) -> tuple[float, float]:
    """Give the centre of the selection's bounds as fractions of a layer's size."""
    _, any_selected, left, top, right, bottom = Gimp.Selection.bounds(image)
    if not any_selected:
        raise PluginError(
            "Nothing is selected. Draw a small selection around what is to be sharp, and try again."
        )
    _, x, y = layer.get_offsets()
    at = (
        ((left + right) / 2 - x) / layer.get_width(),
        ((top + bottom) / 2 - y) / layer.get_height(),
    )
    if min(at) < 0 or max(at) > 1:
        raise PluginError(f'The selection lies outside of the layer "{layer.get_name()}".')
    return at
