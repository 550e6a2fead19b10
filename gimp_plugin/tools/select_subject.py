"""Select Subject: the portrait matte as a selection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.light.errors import PluginError
from daemon.light.words import tr
from gimp_plugin import group, pixels, rendering
from gimp_plugin.bindings import Gegl, Gimp

if TYPE_CHECKING:
    from daemon.light.planes import Plane
    from gimp_plugin.call import Call


def run(call: Call) -> Gimp.ValueArray:
    """Combine the matte with the selection; in a Bokeh group it is the painted Mask."""
    layer = call.layer()
    existing = group.find(layer)
    painted = None if existing is None else existing.member("mask")
    if existing is not None and painted is not None:
        layer = existing.source()
        matte = pixels.read_map(painted, layer)
    else:
        matte = rendering.estimate(layer, "matte", tr("Select Subject"))
    if not any(matte.data):
        raise PluginError(
            tr('No person was found in "{layer}". The selection is unchanged.').format(
                layer=layer.get_name()
            )
        )
    _select(call.image, layer, matte, call.config.get_property("operation"))
    return call.done()


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
