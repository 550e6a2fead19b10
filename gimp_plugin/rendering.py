"""First render and re-render: read, compute, put the layers in; the image changes at the end."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gimp_plugin import group, pixels, source, work
from gimp_plugin.client import Job
from gimp_plugin.errors import PluginError
from gimp_plugin.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gimp_plugin.bindings import Gimp
    from gimp_plugin.client import Reply
    from gimp_plugin.planes import Plane


@dataclass(frozen=True)
class Render:
    """One render to be done, with all its pixels read.

    Parameters
    ----------
    layer
        The layer that is blurred.
    image
        Its pixels.
    existing
        The group whose Composite is replaced; None makes a new group.
    maps
        Edited maps, `matte` and `depth`.
    """

    layer: Gimp.Layer
    image: Plane
    existing: group.Group | None = None
    maps: Mapping[str, Plane] = field(default_factory=dict)

    @classmethod
    def of(cls, layer: Gimp.Layer, existing: group.Group | None) -> Render:
        """Read what is needed to render a layer, or a group again from its source.

        Raises
        ------
        PluginError
            The layer cannot be blurred, or does not fit the group any more.
        """
        layer = layer if existing is None else existing.source()
        image = source.photo(layer)
        maps = {} if existing is None else _edited_maps(existing, layer, image)
        return cls(layer, image, existing, maps)

    def job(self, parameters: Parameters) -> Job:
        """Give the daemon's job for the full-size result."""
        unpainted = [name for name in group.MAPS.values() if name not in self.maps]
        return dataclasses.replace(
            job(self.image, parameters), want=(*unpainted, "composite"), **self.maps
        )

    def put(self, parameters: Parameters, reply: Reply) -> group.Group:
        """Put the result into the image, in one undo step."""
        if self.existing is not None:
            record = dataclasses.replace(self.existing.record, parameters=parameters)
            planes = dict(reply.planes)
            for role, name in group.MAPS.items():  # other people may be the subject now
                digest = f"{role}_digest"
                if name in planes and planes[name].digest != getattr(record, digest):
                    record = dataclasses.replace(record, **{digest: planes[name].digest})
                else:
                    planes.pop(name, None)
            record = record.after(self.image.digest)
            return group.replace(self.existing, self.image, planes, record)
        record = group.Record(
            parameters=parameters,
            source=self.layer.get_tattoo(),
            source_digest=self.image.digest,
            mask_digest=reply.planes["matte"].digest,
            depth_digest=reply.planes["depth"].digest,
        )
        return group.insert(self.layer, self.image, dict(reply.planes), record)


def render(layer: Gimp.Layer, existing: group.Group | None, parameters: Parameters) -> group.Group:
    """Blur a layer, or render its group again by the maps as they are painted now."""
    return compute(Render.of(layer, existing), parameters)


def compute(todo: Render, parameters: Parameters) -> group.Group:
    """Have the daemon do a render, and put it into the image."""
    return todo.put(parameters, work.compute(todo.job(parameters), "Bokeh"))


def estimate(layer: Gimp.Layer, name: str, title: str) -> Plane:
    """Have one map of a layer made, `matte` or `depth`; the title says what the user waits for."""
    todo = dataclasses.replace(job(source.photo(layer), Parameters()), want=(name,))
    return work.compute(todo, title).planes[name]


def job(image: Plane, parameters: Parameters) -> Job:
    """Give the daemon's job for a picture and settings."""
    chosen = parameters.resolved()
    pointless = chosen.people == "at_focus_point" and chosen.focus != "point"
    subject = "main" if pointless else chosen.people
    return Job(image=image, lens=parameters.lens(image.width, image.height), subject=subject)


def _edited_maps(existing: group.Group, layer: Gimp.Layer, image: Plane) -> dict[str, Plane]:
    """Read the maps of a group that differ from what the networks would give for its source."""
    record = existing.record
    composite = existing.member("composite")
    if composite is not None and _size(composite) != _size(layer):
        raise PluginError(
            f'The layer "{layer.get_name()}" has another size now than when this Bokeh group was '
            "made. Select it and run Portrait Bokeh again."
        )
    changed_source = image.digest != record.source_digest
    maps = {}
    for role, name in group.MAPS.items():
        member = existing.member(role)
        if member is not None:
            plane = pixels.read_map(member, layer)
            if changed_source or plane.digest != getattr(record, f"{role}_digest"):
                maps[name] = plane
    return maps


def _size(layer: Gimp.Layer) -> tuple[int, int]:
    return layer.get_width(), layer.get_height()
