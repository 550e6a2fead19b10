"""Depth Map: the estimated depth as a layer."""

from __future__ import annotations

import dataclasses
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp  # noqa: E402

from gimp_plugin import group, rendering, source, work  # noqa: E402
from gimp_plugin.parameters import Parameters  # noqa: E402
from gimp_plugin.tools.portrait import returned  # noqa: E402


def run(
    procedure: Gimp.Procedure,
    _run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    _config: Gimp.ProcedureConfig,
    _data: Any,
) -> Gimp.ValueArray:
    """Add the depth of the active layer (in a Bokeh group: of its source) above it."""
    layer = source.active_layer(image, drawables)
    existing = group.find(layer)
    if existing is not None:
        layer = existing.source()
    job = rendering.job(source.photo(layer), Parameters())
    reply = work.compute(dataclasses.replace(job, want=("depth",)), "Depth Map")
    depth = group.new_map(layer, reply.planes["depth"], "Depth map")
    image.insert_layer(depth, layer.get_parent(), image.get_item_position(layer))
    Gimp.displays_flush()
    return returned(procedure, [depth])
