"""The layer group a result lives in: made, found again, re-rendered.

Names are the user's to change and layers the user's to move: the group and its members are known by
parasites, the source by its tattoo. All of these survive saving as XCF.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.light.errors import PluginError
from daemon.light.parameters import Parameters
from daemon.light.words import tr
from gimp_plugin import locks, pixels
from gimp_plugin.bindings import Gimp
from gimp_plugin.formats import MAP_CURVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from daemon.light.planes import Plane

GROUP = "defocus-bokeh"
ROLE = "defocus-bokeh-role"
MAPS = {"mask": "matte", "depth": "depth"}
"""Role of a layer in the group -> name of its plane on the wire."""
VEIL = 50.0
"""Opacity in percent of a map: with its eye on it lies over the result like a veil."""
BY_HAND = "Composite, painted by hand"
"""Name of a Composite that was edited, once there is a new one."""
KEPT = 3  # persistent (saved with the image) and undoable


@dataclass(frozen=True)
class Record:
    """What is kept in the group: settings and fingerprints, no pixels.

    Parameters
    ----------
    parameters
        The settings of the last render.
    source
        Tattoo of the source layer.
    source_digest, mask_digest, depth_digest, composite_digest
        Fingerprints of the source's pixels, of the maps as the networks made them and of the
        Composite as it was rendered: tell what was edited. Empty when not known.
    """

    parameters: Parameters
    source: int
    source_digest: str
    mask_digest: str = ""
    depth_digest: str = ""
    composite_digest: str = ""

    def after(self, source_digest: str) -> Record:
        """Return the record after a re-render: on another source kept maps are the user's own."""
        if source_digest == self.source_digest:
            return self
        return dataclasses.replace(
            self, source_digest=source_digest, mask_digest="", depth_digest=""
        )

    def digest_of(self, role: str) -> str:
        """Return the fingerprint of the member `composite`, `mask` or `depth`."""
        digest: str = getattr(self, f"{role}_digest")
        return digest

    def with_digest(self, role: str, digest: str) -> Record:
        """Return the record with another fingerprint of `composite`, `mask` or `depth`."""
        fields: dict[str, Any] = {f"{role}_digest": digest}
        return dataclasses.replace(self, **fields)

    def to_json(self) -> bytes:
        """Return ASCII JSON; GIMP's bindings refuse other bytes in a parasite."""
        fields = {**dataclasses.asdict(self), "version": 1, "parameters": self.parameters.record()}
        return json.dumps(fields).encode("ascii")

    @classmethod
    def from_json(cls, data: bytes) -> Record:
        """Read what `to_json` wrote.

        Raises
        ------
        PluginError
            It is damaged.
        """
        try:
            fields = json.loads(data)
            names = {field.name for field in dataclasses.fields(cls)}
            kept = {name: fields[name] for name in names & fields.keys()}
            return cls(**{**kept, "parameters": Parameters.from_record(fields["parameters"])})
        except (ValueError, KeyError, TypeError) as error:
            raise PluginError(
                tr(
                    "The settings kept in this Bokeh group are damaged. Select the photo's layer "
                    "and run Portrait Bokeh again."
                )
            ) from error


@dataclass(frozen=True)
class Group:
    """A Bokeh group in an image."""

    layer: Gimp.GroupLayer
    record: Record

    def member(self, role: str) -> Gimp.Layer | None:
        """Return the member that is `composite`, `mask` or `depth`; None where it was removed."""
        for child in self.layer.get_children():
            if isinstance(child, Gimp.Layer) and _parasite(child, ROLE) == role.encode():
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
        data = _parasite(item, GROUP)
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


def _all(layers: Iterable[Any]) -> Iterator[Group]:
    for layer in layers:
        data = _parasite(layer, GROUP)
        if data is not None:
            yield Group(layer, Record.from_json(data))
        elif layer.is_group():
            yield from _all(layer.get_children())


def parent(layer: Gimp.Layer) -> Gimp.GroupLayer | None:
    """Return the layer group that a layer is in, be it one of ours or not."""
    found = layer.get_parent()
    assert found is None or isinstance(found, Gimp.GroupLayer)
    return found


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
    limits, plain = _selected(source) if limited else None, _plain(source, image_plane)
    rest = limits is not None and not plain
    composite = _composite(source, planes["composite"], limits, over_rest=rest)
    layers = [_map(source, planes[name], role) for role, name in MAPS.items()]
    layers.append(composite)
    if rest:
        layers.append(_rest(source, image_plane))
    group = Gimp.GroupLayer.new(image, "Bokeh")
    image.undo_group_start()
    try:
        with locks.lifted(source):
            image.insert_layer(group, parent(source), image.get_item_position(source))
            for position, layer in enumerate(layers):
                image.insert_layer(layer, group, position)
            if not plain:
                _take_place(group, source, image_plane.dtype)
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
                new = _renewed(source, layer, plane, **how)
                held.hand_over(layer, new)
                if layer.get_id() in active:
                    active[layer.get_id()] = new
                return new

            if old is None:
                new = _composite(source, planes["composite"], None, over_rest=rest is not None)
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
    _keep(group.layer, GROUP, record.to_json())
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


def new_map(source: Gimp.Layer, plane: Plane, name: str) -> Gimp.Layer:
    """Make a loose grey layer over the source from a map."""
    grey = source.is_gray()
    kind = Gimp.ImageType.GRAY_IMAGE if grey else Gimp.ImageType.RGB_IMAGE
    return _layer(source, plane, name, kind, MAP_CURVE)


def _map(source: Gimp.Layer, plane: Plane, role: str) -> Gimp.Layer:
    layer = new_map(source, plane, role.capitalize())
    layer.set_visible(False)
    layer.set_opacity(VEIL)
    _keep(layer, ROLE, role.encode())
    return layer


def _composite(
    source: Gimp.Layer, plane: Plane, limits: Plane | None, *, over_rest: bool
) -> Gimp.Layer:
    """Make the Composite, limited by a layer mask.

    Over the rest of the source it takes its transparency from there: blended over it as it is,
    half transparent pixels would add up.
    """
    opaque = Gimp.ImageType.GRAY_IMAGE if source.is_gray() else Gimp.ImageType.RGB_IMAGE
    layer = _layer(source, plane, "Composite", opaque if over_rest else source.type())
    _keep(layer, ROLE, b"composite")
    if over_rest:
        layer.set_composite_mode(Gimp.LayerCompositeMode.CLIP_TO_BACKDROP)
    _add_mask(layer, limits)
    return layer


def _rest(source: Gimp.Layer, plane: Plane) -> Gimp.Layer:
    """Make the layer that shows the source where the effect is not selected."""
    layer = _layer(source, plane, "Unblurred", source.type())
    _keep(layer, ROLE, b"rest")
    return layer


def _layer(
    source: Gimp.Layer, plane: Plane, name: str, kind: Gimp.ImageType, curve: str = ""
) -> Gimp.Layer:
    image = source.get_image()
    layer = Gimp.Layer.new(
        image, name, plane.width, plane.height, kind, 100.0, Gimp.LayerMode.NORMAL
    )
    _, x, y = source.get_offsets()
    layer.set_offsets(x, y)
    pixels.write(layer, plane, curve)
    return layer


def _renewed(
    source: Gimp.Layer,
    old: Gimp.Layer,
    plane: Plane,
    *,
    curve: str = "",
    opaque: bool = False,
    aside: bool = False,
) -> Gimp.Layer:
    """Put a copy with other pixels in the place of a layer: filters, mask and looks stay.

    An `opaque` one has its transparency from the layer below. What was there is removed, or laid
    `aside`: hidden, below the new one, with a name of its own.
    """
    image, name = old.get_image(), old.get_name()
    new = old.copy()
    image.insert_layer(new, parent(old), image.get_item_position(old))
    if not (new.has_alpha() or opaque) and plane.channels in {2, 4}:
        new.add_alpha()
    if (new.get_width(), new.get_height()) != (plane.width, plane.height):
        new.resize(plane.width, plane.height, 0, 0)
    _, x, y = source.get_offsets()
    new.set_offsets(x, y)
    pixels.write(new, plane, curve)
    if aside:
        old.detach_parasite(ROLE)
        old.set_visible(False)
        old.set_name(BY_HAND)
    else:
        image.remove_layer(old)
    new.set_name(name)  # now: until here the name was taken
    return new


def _selected(source: Gimp.Layer) -> Plane | None:
    """Return the selection over the source; None when there is none, so everything is meant."""
    image = source.get_image()
    if Gimp.Selection.is_empty(image):
        return None
    _, x, y = source.get_offsets()
    size = source.get_width(), source.get_height()
    return pixels.read_coverage(image.get_selection(), "u8", x, y, size)


def _mask_of(layer: Gimp.Layer, dtype: str) -> Plane | None:
    mask = layer.get_mask()
    if mask is None:
        return None
    return pixels.read_coverage(mask, dtype, 0, 0, (layer.get_width(), layer.get_height()))


def _add_mask(layer: Gimp.Layer, coverage: Plane | None) -> None:
    if coverage is not None:
        mask = layer.create_mask(Gimp.AddMaskType.WHITE)
        layer.add_mask(mask)
        pixels.write_coverage(mask, coverage, 0, 0)


def _plain(source: Gimp.Layer, plane: Plane) -> bool:
    """Whether the result simply covers the source; otherwise both together would show."""
    normal = source.get_mode() in {Gimp.LayerMode.NORMAL, Gimp.LayerMode.NORMAL_LEGACY}
    masked = source.get_mask() is not None and source.get_apply_mask()
    return normal and source.get_opacity() == 100.0 and not masked and plane.opaque


def _take_place(group: Gimp.GroupLayer, source: Gimp.Layer, dtype: str) -> None:
    """Show the group instead of the source, blended and masked as the source was."""
    group.set_opacity(source.get_opacity())
    group.set_mode(source.get_mode())
    group.set_visible(source.get_visible())
    if source.get_apply_mask():
        _add_mask(group, _mask_of(source, dtype))
    source.set_visible(False)


def _keep(item: Gimp.Item, name: str, data: bytes) -> None:
    item.attach_parasite(Gimp.Parasite.new(name, KEPT, data))


def _parasite(item: Gimp.Item, name: str) -> bytes | None:
    found = item.get_parasite(name)
    return None if found is None else bytes(found.get_data())
