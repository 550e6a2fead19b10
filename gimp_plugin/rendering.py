"""First render and re-render: read, compute, put the layers in. The image changes only at the end."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from gimp_plugin import group, pixels, source, work
from gimp_plugin.client import Job
from gimp_plugin.errors import PluginError

if TYPE_CHECKING:
    from gi.repository import Gimp

    from gimp_plugin.parameters import Parameters
    from gimp_plugin.planes import Plane


def first(layer: Gimp.Layer, parameters: Parameters) -> group.Group:
    """Blur a layer and add the group above it."""
    image = source.photo(layer)
    reply = work.compute(job(image, parameters), "Portrait Bokeh")
    record = group.Record(
        parameters=parameters,
        source=layer.get_tattoo(),
        source_digest=image.digest,
        mask_digest=reply.planes["matte"].digest,
        depth_digest=reply.planes["depth"].digest,
    )
    return group.insert(layer, image, dict(reply.planes), record)


def again(existing: group.Group, parameters: Parameters) -> group.Group:
    """Replace the Composite of a group, by its maps as they are painted now."""
    layer = existing.source()
    image = source.photo(layer)
    maps = edited_maps(existing, layer, image)
    request = dataclasses.replace(job(image, parameters), want=("composite",), **maps)
    reply = work.compute(request, "Re-render")
    record = dataclasses.replace(existing.record, parameters=parameters)
    return group.replace_composite(existing, reply.planes["composite"], record.after(image.digest))


def job(image: Plane, parameters: Parameters) -> Job:
    """Give the daemon's job for a picture and settings."""
    chosen = parameters.resolved()
    subject = "all" if chosen.people == "at_focus_point" and chosen.focus != "point" else chosen.people
    return Job(image=image, lens=parameters.lens(image.width, image.height), subject=subject)


def edited_maps(existing: group.Group, layer: Gimp.Layer, image: Plane) -> dict[str, Plane]:
    """Read those maps of a group that differ from what the networks would give for its source now."""
    record = existing.record
    composite = existing.member("composite")
    if composite is not None and _size(composite) != _size(layer):
        raise PluginError(
            f'The layer "{layer.get_name()}" has another size now than when this Bokeh group was made. '
            "Select it and run Portrait Bokeh again."
        )
    changed_source = image.digest != record.source_digest
    maps = {}
    for role, name, digest in (
        ("mask", "matte", record.mask_digest),
        ("depth", "depth", record.depth_digest),
    ):
        member = existing.member(role)
        if member is not None:
            plane = pixels.read_map(member, layer)
            if changed_source or plane.digest != digest:
                maps[name] = plane
    return maps


def _size(layer: Gimp.Layer) -> tuple[int, int]:
    return layer.get_width(), layer.get_height()
