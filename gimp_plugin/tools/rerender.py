"""Re-render: the Composite again, from the maps as they are painted now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.light.errors import PluginError
from daemon.light.words import tr
from gimp_plugin import group, rendering
from gimp_plugin.tools import portrait

if TYPE_CHECKING:
    from gimp_plugin.bindings import Gimp
    from gimp_plugin.call import Call


def run(call: Call) -> Gimp.ValueArray:
    """Render the Bokeh group of the active layer again, with its own settings or as Portrait Bokeh.

    Somebody at the dialog who has no group yet gets one.
    """
    layer = call.layer()
    existing = group.made_from(layer)
    if existing is None and not call.interactive:
        raise PluginError(
            tr(
                '"{layer}" is in no Bokeh group, and none was made from it. Make one with '
                "Filters > Bokeh > Portrait Bokeh."
            ).format(layer=layer.get_name())
        )
    if existing is None or call.interactive or not call.config.get_property("keep-settings"):
        return portrait.run_on(call, layer, existing)
    made = rendering.render(layer, existing, existing.record.parameters)
    return rendering.answer(call, made)
