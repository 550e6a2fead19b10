"""Scene Depth: the estimated depth as a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.light.words import tr
from gimp_plugin import group, layers, rendering
from gimp_plugin.bindings import Gimp

if TYPE_CHECKING:
    from gimp_plugin.call import Call


def run(call: Call) -> Gimp.ValueArray:
    """Add the depth of the active layer (in a Bokeh group: of its source) above it."""
    layer = call.layer()
    existing = group.find(layer)
    if existing is not None:
        layer = existing.source()
    plane = rendering.estimate(layer, "depth", tr("Scene Depth"))
    depth = layers.new_map(layer, plane, "Depth map")
    call.image.insert_layer(depth, layers.parent(layer), call.image.get_item_position(layer))
    Gimp.displays_flush()
    return call.done(depth)
