"""Re-render: the Composite again, from the maps as they are painted now."""

from __future__ import annotations

from typing import Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp  # noqa: E402

from gimp_plugin import group, rendering, source  # noqa: E402
from gimp_plugin.errors import PluginError  # noqa: E402
from gimp_plugin.tools.portrait import answer, parameters_of  # noqa: E402


def run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    _data: Any,
) -> Gimp.ValueArray:
    """Re-render the Bokeh group of the active layer."""
    layer = source.active_layer(image, drawables)
    existing = existing_group(layer)
    if run_mode == Gimp.RunMode.INTERACTIVE:
        from gimp_plugin import dialog  # noqa: PLC0415 - Gtk only when a window opens

        return dialog.run(procedure, config, existing.source(), existing)
    keep = config.get_property("keep-settings")
    parameters = existing.record.parameters if keep else parameters_of(config)
    return answer(procedure, rendering.render(layer, existing, parameters))


def existing_group(layer: Gimp.Layer) -> group.Group:
    """Give the Bokeh group of a layer.

    Raises
    ------
    PluginError
        It is in none.
    """
    existing = group.find(layer)
    if existing is None:
        raise PluginError(
            f'"{layer.get_name()}" is in no Bokeh group. Select the Composite, Mask or Depth of '
            "one, or make one with Filters > Bokeh > Portrait Bokeh."
        )
    return existing
