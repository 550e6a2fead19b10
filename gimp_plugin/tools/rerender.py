"""Re-render: the Composite again, from the maps as they are painted now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gimp_plugin import group, rendering
from gimp_plugin.errors import PluginError
from gimp_plugin.tools import portrait

if TYPE_CHECKING:
    from gimp_plugin.bindings import Gimp
    from gimp_plugin.call import Call


def run(call: Call) -> Gimp.ValueArray:
    """Re-render the Bokeh group of the active layer, with its own settings or as Portrait Bokeh."""
    layer = call.layer()
    existing = existing_group(layer)
    if call.interactive or not call.config.get_property("keep-settings"):
        return portrait.run(call)
    return portrait.answer(call, rendering.render(layer, existing, existing.record.parameters))


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
