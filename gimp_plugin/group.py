"""The layer group a result lives in: made, found again, re-rendered.

Names are the user's to change and layers the user's to move: the group and its members are known by
parasites, the source by its tattoo. All of these survive saving as XCF.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gimp_plugin import pixels
from gimp_plugin.bindings import Gimp
from gimp_plugin.errors import PluginError
from gimp_plugin.parameters import Parameters

if TYPE_CHECKING:
    from gimp_plugin.planes import Plane

GROUP = "defocus-bokeh"
ROLE = "defocus-bokeh-role"
MAPS = {"mask": "matte", "depth": "depth"}
"""Role of a layer in the group -> name of its plane on the wire."""
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
    source_digest, mask_digest, depth_digest
        Of the source's pixels and of the maps as the networks made them: tell what was edited.
    """

    parameters: Parameters
    source: int
    source_digest: str
    mask_digest: str
    depth_digest: str

    def after(self, source_digest: str) -> Record:
        """Give the record after a re-render: on another source the kept maps are the user's own."""
        if source_digest == self.source_digest:
            return self
        return dataclasses.replace(
            self, source_digest=source_digest, mask_digest="", depth_digest=""
        )

    def to_json(self) -> bytes:
        """Give ASCII JSON; GIMP's bindings refuse other bytes in a parasite."""
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
            kept = {name: fields[name] for name in names}
            return cls(**{**kept, "parameters": Parameters.from_record(fields["parameters"])})
        except (ValueError, KeyError, TypeError) as error:
            raise PluginError(
                "The settings kept in this Bokeh group are damaged. "
                "Select the photo's layer and run Portrait Bokeh again."
            ) from error


@dataclass(frozen=True)
class Group:
    """A Bokeh group in an image."""

    layer: Gimp.GroupLayer
    record: Record

    def member(self, role: str) -> Gimp.Layer | None:
        """Give the member that is `composite`, `mask` or `depth`; None when the user removed it."""
        for child in self.layer.get_children():
            if _parasite(child, ROLE) == role.encode():
                return child
        return None

    def source(self) -> Gimp.Layer:
        """Give the layer that was blurred.

        Raises
        ------
        PluginError
            It is gone.
        """
        image = self.layer.get_image()
        found = image.get_layer_by_tattoo(self.record.source)
        if found is None:
            raise PluginError(
                f'The layer that "{self.layer.get_name()}" was made from is gone. Bring it back '
                "with Undo, or select another layer and run Portrait Bokeh."
            )
        return found


def find(layer: Gimp.Layer) -> Group | None:
    """Give the Bokeh group that a layer is, or is in."""
    item: Any = layer
    while item is not None:
        data = _parasite(item, GROUP)
        if data is not None:
            return Group(item, Record.from_json(data))
        item = item.get_parent()
    return None


def insert(
    source: Gimp.Layer, image_plane: Plane, planes: dict[str, Plane], record: Record
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
    """
    image = source.get_image()
    limits, plain = _selected(source), _plain(source, image_plane)
    rest = limits is not None and not plain
    layers = [_composite(source, planes["composite"], limits, over_rest=rest)]
    layers += [_map(source, planes["matte"], "mask"), _map(source, planes["depth"], "depth")]
    if rest:
        layers.append(_rest(source, image_plane))
    group = Gimp.GroupLayer.new(image, "Bokeh")
    _keep(group, GROUP, record.to_json())
    image.undo_group_start()
    try:
        image.insert_layer(group, source.get_parent(), image.get_item_position(source))
        for position, layer in enumerate(layers):
            image.insert_layer(layer, group, position)
        if not plain:
            _take_place(group, source, image_plane.dtype)
        image.set_selected_layers([layers[0]])
    finally:
        image.undo_group_end()
    Gimp.displays_flush()
    return Group(group, record)


def replace(group: Group, image_plane: Plane, planes: dict[str, Plane], record: Record) -> Group:
    """Put new pixels in the place of old ones, in one undo step.

    Changing pixels of a layer in place could not be undone.

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
    """
    source, old, rest = group.source(), group.member("composite"), group.member("rest")
    image = source.get_image()
    image.undo_group_start()
    try:
        if old is None:
            new = _composite(source, planes["composite"], None, over_rest=rest is not None)
            image.insert_layer(new, group.layer, 0)
        else:
            new = _renewed(source, old, planes["composite"], opaque=rest is not None)
        if rest is not None and record.source_digest != group.record.source_digest:
            _renewed(source, rest, image_plane)
        for role, name in MAPS.items():
            layer = group.member(role)
            if layer is not None and name in planes:
                _renewed(source, layer, planes[name])
        _keep(group.layer, GROUP, record.to_json())
        image.set_selected_layers([new])
    finally:
        image.undo_group_end()
    Gimp.displays_flush()
    return Group(group.layer, record)


def new_map(source: Gimp.Layer, plane: Plane, name: str) -> Gimp.Layer:
    """Make a loose grey layer over the source from a map."""
    grey = source.is_gray()
    kind = Gimp.ImageType.GRAY_IMAGE if grey else Gimp.ImageType.RGB_IMAGE
    return _layer(source, plane, name, kind)


def _map(source: Gimp.Layer, plane: Plane, role: str) -> Gimp.Layer:
    layer = new_map(source, plane, role.capitalize())
    layer.set_visible(False)
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


def _layer(source: Gimp.Layer, plane: Plane, name: str, kind: Gimp.ImageType) -> Gimp.Layer:
    image = source.get_image()
    layer = Gimp.Layer.new(
        image, name, plane.width, plane.height, kind, 100.0, Gimp.LayerMode.NORMAL
    )
    _, x, y = source.get_offsets()
    layer.set_offsets(x, y)
    pixels.write(layer, plane)
    return layer


def _renewed(
    source: Gimp.Layer, old: Gimp.Layer, plane: Plane, *, opaque: bool = False
) -> Gimp.Layer:
    """Put a copy with other pixels in the place of a layer: filters, mask and looks stay.

    An `opaque` one has its transparency from the layer below.
    """
    image, name = old.get_image(), old.get_name()
    new = old.copy()
    image.insert_layer(new, old.get_parent(), image.get_item_position(old))
    locks = new.get_lock_content(), new.get_lock_position()
    new.set_lock_content(False)  # GIMP ends a plug-in that writes to locked pixels
    new.set_lock_position(False)
    if not (new.has_alpha() or opaque) and plane.channels in {2, 4}:
        new.add_alpha()
    if (new.get_width(), new.get_height()) != (plane.width, plane.height):
        new.resize(plane.width, plane.height, 0, 0)
    _, x, y = source.get_offsets()
    new.set_offsets(x, y)
    pixels.write(new, plane)
    new.set_lock_content(locks[0])
    new.set_lock_position(locks[1])
    image.remove_layer(old)
    new.set_name(name)  # after the removal: until then the name is taken
    return new


def _selected(source: Gimp.Layer) -> Plane | None:
    """Give the selection over the source; None when there is none, so everything is meant."""
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
