"""Select Subject: the portrait matte as a selection."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp  # noqa: E402

from gimp_plugin import group, pixels, rendering, source, work  # noqa: E402
from gimp_plugin.errors import PluginError  # noqa: E402
from gimp_plugin.parameters import Parameters  # noqa: E402

if TYPE_CHECKING:
    from gimp_plugin.planes import Plane


def run(
    procedure: Gimp.Procedure,
    _run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    _data: Any,
) -> Gimp.ValueArray:
    """Combine the matte with the selection; in a Bokeh group it is the painted Mask."""
    layer = source.active_layer(image, drawables)
    existing = group.find(layer)
    painted = existing and existing.member("mask")
    if existing is not None and painted is not None:
        layer = existing.source()
        matte = pixels.read_map(painted, layer)
    else:
        matte = _matte(layer)
    if not any(matte.data):
        raise PluginError(
            f'No person was found in "{layer.get_name()}". The selection is unchanged.'
        )
    _select(image, layer, matte, config.get_property("operation"))
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)


def _matte(layer: Gimp.Layer) -> Plane:
    job = rendering.job(source.photo(layer), Parameters())
    return work.compute(dataclasses.replace(job, want=("matte",)), "Select Subject").planes["matte"]


def _select(image: Gimp.Image, layer: Gimp.Layer, matte: Plane, operation: str) -> None:
    """Select by way of a channel, the only thing with soft edges that can be combined."""
    operations = {
        "replace": Gimp.ChannelOps.REPLACE,
        "add": Gimp.ChannelOps.ADD,
        "subtract": Gimp.ChannelOps.SUBTRACT,
        "intersect": Gimp.ChannelOps.INTERSECT,
    }
    size = image.get_width(), image.get_height()
    channel = Gimp.Channel.new(image, "Subject", *size, 50.0, Gegl.Color.new("black"))
    _, x, y = layer.get_offsets()
    image.undo_group_start()
    try:
        image.insert_channel(channel, None, 0)
        pixels.write_coverage(channel, matte, x, y)
        image.select_item(operations[operation], channel)
        image.remove_channel(channel)
    finally:
        image.undo_group_end()
    Gimp.displays_flush()
