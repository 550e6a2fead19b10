"""Depth Map: the estimated depth as a layer."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from gimp_plugin import group, rendering, source, work
from gimp_plugin.bindings import Gimp
from gimp_plugin.parameters import Parameters

if TYPE_CHECKING:
    from gimp_plugin.call import Call


def run(call: Call) -> Gimp.ValueArray:
    """Add the depth of the active layer (in a Bokeh group: of its source) above it."""
    layer = call.layer()
    existing = group.find(layer)
    if existing is not None:
        layer = existing.source()
    job = rendering.job(source.photo(layer), Parameters())
    reply = work.compute(dataclasses.replace(job, want=("depth",)), "Depth Map")
    depth = group.new_map(layer, reply.planes["depth"], "Depth map")
    call.image.insert_layer(depth, layer.get_parent(), call.image.get_item_position(layer))
    Gimp.displays_flush()
    return call.done(depth)
