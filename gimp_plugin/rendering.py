"""First render and re-render: read, compute, put the layers in; the image changes at the end."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from daemon.light.errors import PluginError
from daemon.light.parameters import Parameters
from daemon.light.request import LayerRequest
from daemon.light.words import tr
from gimp_plugin import background, group, pixels, source
from gimp_plugin.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.light.planes import File, Plane
    from daemon.light.request import Reply
    from daemon.light.strokes import Stroke
    from gimp_plugin.bindings import Gimp
    from gimp_plugin.call import Call


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
    painted
        Maps that were painted on, `matte` and `depth`.
    file
        The photo's file, if it may have a depth map inside.
    by_hand
        Whether the maps that come back were painted on.
    everywhere
        Whether a first render pays no heed to the selection.
    forgotten
        Which of these are left out: the networks' own count.
    """

    layer: Gimp.Layer
    image: Plane
    existing: group.Group | None = None
    painted: Mapping[str, Plane] = field(default_factory=dict)
    file: File | None = None
    by_hand: bool = False
    everywhere: bool = False
    forgotten: frozenset[str] = frozenset()

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
        return cls(layer, image, existing, maps, source.file_of(layer))

    @property
    def maps(self) -> dict[str, Plane]:
        """The painted maps that count."""
        return {name: each for name, each in self.painted.items() if name not in self.forgotten}

    def again(self) -> Render:
        """Read everything anew, for what was changed while a dialog was open.

        Raises
        ------
        PluginError
            As `of`; also when layer or group are gone.
        """
        self._check_there()
        now = Render.of(self.layer, self.existing and group.find(self.existing.layer))
        kept = {name: getattr(self, name) for name in ("everywhere", "file", "forgotten")}
        return dataclasses.replace(now, **kept)

    def request(self, parameters: Parameters, strokes: tuple[Stroke, ...] = ()) -> LayerRequest:
        """Return what the daemon is asked for the full-size result, with strokes on the maps."""
        stroked = {stroke.plane for stroke in strokes}
        maps = self.maps
        others = [n for n in group.MAPS.values() if n not in maps or n in stroked]
        return dataclasses.replace(
            LayerRequest.of(self.image, parameters),
            file=self.file if parameters.own_depth else None,
            want=(*others, "composite"),
            matte=maps.get("matte"),
            depth=maps.get("depth"),
            strokes=strokes,
        )

    def with_strokes(self, strokes: tuple[Stroke, ...]) -> Render:
        """Return the render whose maps will be the user's own, if there are any strokes.

        Both maps are then: another depth would be found for a painted mask, and a re-render would
        not show what was seen here.
        """
        return dataclasses.replace(self, by_hand=True) if strokes else self

    def put(self, parameters: Parameters, reply: Reply) -> group.Group:
        """Put the result into the image, in one undo step.

        Raises
        ------
        PluginError
            The image is not any more as it was read.
        """
        self._check_unchanged()
        digest = pixels.fingerprint(self.image, self.layer)
        if self.existing is None:
            record = Record(parameters, self.layer.get_tattoo(), digest)
            return group.insert(
                *(self.layer, self.image, reply.planes, record),
                by_hand=self.by_hand,
                limited=not self.everywhere,
            )
        record = dataclasses.replace(self.existing.record, parameters=parameters)
        planes = dict(reply.planes)
        for role, name in group.MAPS.items():  # other people may be the subject now
            member = self.existing.member(role)
            if name in planes and member is not None:
                shown = pixels.read_map(member, self.layer)
                if planes[name].digest == shown.digest:
                    del planes[name]
        record = record.after(digest)
        return group.replace(self.existing, self.image, planes, record, by_hand=self.by_hand)

    def _check_unchanged(self) -> None:
        """See that layers and pixels are still those that were read."""
        try:
            now = self.again()
        except PluginError:
            raise _changed() from None
        records = [each.existing and each.existing.record for each in (now, self)]
        maps = [{k: v.digest for k, v in each.maps.items()} for each in (now, self)]
        if now.image != self.image or records[0] != records[1] or maps[0] != maps[1]:
            raise _changed()

    def _check_there(self) -> None:
        needed: list[Gimp.Layer] = [self.layer]
        if self.existing is not None:
            needed.append(self.existing.layer)
        for layer in needed:
            image = layer.get_image() if layer.is_valid() else None
            if image is None or not group.is_in(image, layer):
                raise PluginError(
                    tr(
                        "The layer that was to be blurred, or its Bokeh group, is not in the image "
                        "any more. Undo, or select the photo's layer and run Portrait Bokeh."
                    )
                )


def render(
    layer: Gimp.Layer,
    existing: group.Group | None,
    parameters: Parameters,
    *,
    everywhere: bool = False,
) -> group.Group:
    """Blur a layer, or render its group again by the maps as they are painted now."""
    todo = dataclasses.replace(Render.of(layer, existing), everywhere=everywhere)
    return compute(todo, parameters)


def compute(todo: Render, parameters: Parameters) -> group.Group:
    """Have the daemon do a render, and put it into the image."""
    return todo.put(parameters, background.compute(todo.request(parameters), "Bokeh"))


def estimate(layer: Gimp.Layer, name: str, title: str) -> Plane:
    """Have one map of a layer made, `matte` or `depth`; the title says what the user waits for."""
    everything = LayerRequest.of(source.photo(layer), Parameters())
    request = dataclasses.replace(everything, want=(name,))
    return background.compute(request, title).planes[name]


def answer(call: Call, made: group.Group) -> Gimp.ValueArray:
    """Return a group and its members to the caller."""
    return call.done(made.layer, *map(made.member, ("composite", "mask", "depth")))


def _edited_maps(existing: group.Group, layer: Gimp.Layer, image: Plane) -> dict[str, Plane]:
    """Read the maps of a group that differ from what the networks would give for its source."""
    record = existing.record
    composite = existing.member("composite")
    if composite is not None and _size(composite) != _size(layer):
        raise PluginError(
            tr(
                'The layer "{layer}" has another size now than when this Bokeh group was made. '
                "Select it and run Portrait Bokeh again."
            ).format(layer=layer.get_name())
        )
    changed_source = pixels.fingerprint(image, layer) != record.source_digest
    maps = {}
    for role, name in group.MAPS.items():
        member = existing.member(role)
        if member is not None:
            plane = pixels.read_map(member, layer)
            if changed_source or group.is_edited(existing, role, plane):
                maps[name] = plane
    return maps


def _changed() -> PluginError:
    return PluginError(
        tr(
            "The image was changed while its blur was computed, so the result does not fit any "
            "more and was left out. The image is as you left it; call the same entry again."
        )
    )


def _size(layer: Gimp.Layer) -> tuple[int, int]:
    return layer.get_width(), layer.get_height()
