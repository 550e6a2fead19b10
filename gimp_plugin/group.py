"""The layer group a result lives in: made, found again, re-rendered.

Names are the user's to change and layers the user's to move: the group and its members are known by
parasites, the source by its tattoo. All of these survive saving as XCF.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.light.errors import PluginError
from daemon.light.words import tr
from gimp_plugin import layers, locks, pixels
from gimp_plugin.bindings import Gimp
from gimp_plugin.formats import MAP_CURVE
from gimp_plugin.record import GROUP, ROLE, Record, keep, parasite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from daemon.light.planes import Plane

MAPS = {"mask": "matte", "depth": "depth"}
"""Role of a layer in the group -> name of its plane on the wire."""


@dataclass(frozen=True)
class Group:
    """A Bokeh group in an image."""

    layer: Gimp.GroupLayer
    record: Record

    def member(self, role: str) -> Gimp.Layer | None:
        """Return the member that is `composite`, `mask` or `depth`; None where it was removed."""
        for child in self.layer.get_children():
            if isinstance(child, Gimp.Layer) and parasite(child, ROLE) == role.encode():
                return child
        return None

    def source(self) -> Gimp.Layer:
        """Return the layer that was blurred.

        Raises
        ------
        PluginError
            It is gone.
        """
        image = self.layer.get_image()
        found = image.get_layer_by_tattoo(self.record.source)
        if found is None:
            raise PluginError(
                tr(
                    'The layer that "{layer}" was made from is gone. Bring it back with Undo, or '
                    "select another layer and run Portrait Bokeh."
                ).format(layer=self.layer.get_name())
            )
        return found


def find(layer: Gimp.Layer) -> Group | None:
    """Return the Bokeh group that a layer is, or is in."""
    item: Any = layer
    while item is not None:
        data = parasite(item, GROUP)
        if data is not None:
            return Group(item, Record.from_json(data))
        item = item.get_parent()
    return None


def made_from(layer: Gimp.Layer) -> Group | None:
    """Return the Bokeh group that a layer is in, or the topmost one that was made from it."""
    return find(layer) or next(
        (
            each
            for each in _all(layer.get_image().get_layers())
            if each.record.source == layer.get_tattoo()
        ),
        None,
    )


def _all(found: Iterable[Any]) -> Iterator[Group]:
    for layer in found:
        data = parasite(layer, GROUP)
        if data is not None:
            yield Group(layer, Record.from_json(data))
        elif layer.is_group():
            yield from _all(layer.get_children())


def is_in(image: Gimp.Image, item: Gimp.Item) -> bool:
    """Whether an item is in an image now; one that was deleted lives on in the steps to undo."""
    if not (image.is_valid() and item.is_valid()):
        return False
    top: Any = item
    while top.get_parent() is not None:
        top = top.get_parent()
    return top.get_id() in {layer.get_id() for layer in image.get_layers()}


def insert(
    source: Gimp.Layer,
    image_plane: Plane,
    planes: Mapping[str, Plane],
    record: Record,
    *,
    by_hand: bool = False,
    limited: bool = True,
) -> Group:
    """Add a group above the source, in one undo step.

    Parameters
    ----------
    source
        The blurred layer.
    image_plane
        Its pixels.
    planes
        `composite`, `matte` and `depth` from the daemon.
    record
        Kept in the group.
    by_hand
        Whether the maps are the user's own, to be kept by a re-render.
    limited
        Whether the effect shows only inside the selection, if there is one.
    """
    image = source.get_image()
    limits, plain = layers.selected(source) if limited else None, layers.covers(source, image_plane)
    rest = limits is not None and not plain
    composite = layers.composite(source, planes["composite"], limits, over_rest=rest)
    members = [layers.map_over(source, planes[name], role) for role, name in MAPS.items()]
    members.append(composite)
    if rest:
        members.append(layers.rest(source, image_plane))
    group = Gimp.GroupLayer.new(image, "Bokeh")
    image.undo_group_start()
    try:
        with locks.lifted(source):
            image.insert_layer(group, layers.parent(source), image.get_item_position(source))
            for position, layer in enumerate(members):
                image.insert_layer(layer, group, position)
            if not plain:
                layers.take_place(group, source, image_plane.dtype)
        made = _recorded(Group(group, record), ("composite", *MAPS), by_hand=by_hand)
        image.set_selected_layers([composite])
    finally:
        image.undo_group_end()
    Gimp.displays_flush()
    return made


def replace(
    group: Group,
    image_plane: Plane,
    planes: dict[str, Plane],
    record: Record,
    *,
    by_hand: bool = False,
) -> Group:
    """Put new pixels in the place of old ones, in one undo step, and show them.

    Changing pixels of a layer in place could not be undone. The active layer stays active.

    Parameters
    ----------
    group
        The group as it is.
    image_plane
        Pixels of its source now.
    planes
        The new `composite`; `matte` and `depth` when those layers are to be others.
    record
        The group's new record.
    by_hand
        Whether the maps are the user's own, to be kept by a re-render.
    """
    source, old, rest = group.source(), group.member("composite"), group.member("rest")
    image = source.get_image()
    active = {layer.get_id(): layer for layer in image.get_selected_layers()}
    changed = {role: group.member(role) for role, name in MAPS.items() if name in planes}
    if rest is not None and record.source_digest != group.record.source_digest:
        changed["rest"] = rest
    image.undo_group_start()
    try:
        everything = [group.layer, source, *group.layer.get_children()]
        with locks.lifted(*everything) as held:

            def renew(layer: Gimp.Layer, plane: Plane, **how: Any) -> Gimp.Layer:
                new = layers.renewed(source, layer, plane, **how)
                held.hand_over(layer, new)
                if layer.get_id() in active:
                    active[layer.get_id()] = new
                return new

            if old is None:
                over_rest = rest is not None
                new = layers.composite(source, planes["composite"], None, over_rest=over_rest)
                image.insert_layer(new, group.layer, 0)
            else:
                aside = _edited(group, old)
                new = renew(old, planes["composite"], opaque=rest is not None, aside=aside)
            for role, layer in changed.items():
                if role == "rest" and layer is not None:
                    renew(layer, image_plane)
                elif layer is not None:
                    renew(layer, planes[MAPS[role]], curve=MAP_CURVE)
            _show(group, new)
        roles = ("composite", *(MAPS if by_hand else changed.keys() & MAPS.keys()))
        made = _recorded(Group(group.layer, record), roles, by_hand=by_hand)
        image.set_selected_layers(list(active.values()) or [new])
    finally:
        image.undo_group_end()
    Gimp.displays_flush()
    return made


def _recorded(group: Group, roles: Iterable[str], *, by_hand: bool) -> Group:
    """Keep the record in the group, with fingerprints of those members as they are now.

    Maps made `by_hand` have none: whatever they are, they are not the networks' own.
    """
    record = group.record
    for role in roles:
        layer = group.member(role)
        if layer is not None:
            own = by_hand and role in MAPS
            record = record.with_digest(role, "" if own else _fingerprint(group, role, layer))
    keep(group.layer, GROUP, record.to_json())
    return Group(group.layer, record)


def is_edited(group: Group, role: str, plane: Plane) -> bool:
    """Whether a map is another than the networks made.

    Parameters
    ----------
    group
        Where it is.
    role
        `mask` or `depth`.
    plane
        The map as it is read now.
    """
    now = pixels.fingerprint(plane, group.source(), MAP_CURVE)
    return now != group.record.digest_of(role)


def _edited(group: Group, composite: Gimp.Layer) -> bool:
    """Whether the Composite was painted on since it was rendered; unknown counts as not."""
    known = group.record.composite_digest
    return bool(known) and known != _fingerprint(group, "composite", composite)


def _fingerprint(group: Group, role: str, layer: Gimp.Layer) -> str:
    if role in MAPS:
        plane = pixels.read_map(layer, group.source())
        return pixels.fingerprint(plane, layer, MAP_CURVE)
    return pixels.fingerprint(pixels.read_bare(layer), layer)


def _show(group: Group, composite: Gimp.Layer) -> None:
    """Show the result: it was hidden, or veiled by a map, to paint."""
    composite.set_visible(True)
    for role in MAPS:
        layer = group.member(role)
        if layer is not None:
            layer.set_visible(False)
