"""Focus Here: re-render with the focus on the selection's centre or a given point."""

from __future__ import annotations

import dataclasses
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp  # noqa: E402

from gimp_plugin import rendering, source  # noqa: E402
from gimp_plugin.errors import PluginError  # noqa: E402
from gimp_plugin.tools.portrait import answer  # noqa: E402
from gimp_plugin.tools.rerender import existing_group  # noqa: E402


def run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    _data: Any,
) -> Gimp.ValueArray:
    """Move the focus; interactively without a selection, ask for the point in the dialog."""
    existing = existing_group(source.active_layer(image, drawables))
    layer = existing.source()
    given = config.get_property("x"), config.get_property("y")
    if run_mode == Gimp.RunMode.INTERACTIVE:
        if Gimp.Selection.is_empty(image):
            return _ask(image, drawables)
        given = (-1.0, -1.0)
    x, y = given if min(given) >= 0 else _selection_centre(image, layer)
    parameters = dataclasses.replace(
        existing.record.parameters, focus="point", focus_x=x, focus_y=y
    )
    return answer(procedure, rendering.render(layer, existing, parameters))


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


def _ask(image: Gimp.Image, drawables: list[Gimp.Drawable]) -> Gimp.ValueArray:
    rerender = Gimp.get_pdb().lookup_procedure("plug-in-bokeh-rerender")
    config = rerender.create_config()
    config.set_property("run-mode", Gimp.RunMode.INTERACTIVE)
    config.set_property("image", image)
    config.set_core_object_array("drawables", drawables)
    return rerender.run(config)
