"""The layers of a result: made over the source, or put in the place of older ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gimp_plugin import pixels
from gimp_plugin.bindings import Gimp
from gimp_plugin.formats import MAP_CURVE
from gimp_plugin.record import ROLE, keep

if TYPE_CHECKING:
    from daemon.light.planes import Plane

VEIL = 50.0
"""Opacity in percent of a map: with its eye on it lies over the result like a veil."""
BY_HAND = "Composite, painted by hand"
"""Name of a Composite that was edited, once there is a new one."""


def parent(layer: Gimp.Layer) -> Gimp.GroupLayer | None:
    """Return the layer group that a layer is in, be it one of ours or not."""
    found = layer.get_parent()
    assert found is None or isinstance(found, Gimp.GroupLayer)
    return found


def new_map(source: Gimp.Layer, plane: Plane, name: str) -> Gimp.Layer:
    """Make a loose grey layer over the source from a map."""
    grey = source.is_gray()
    kind = Gimp.ImageType.GRAY_IMAGE if grey else Gimp.ImageType.RGB_IMAGE
    return _layer(source, plane, name, kind, MAP_CURVE)


def map_over(source: Gimp.Layer, plane: Plane, role: str) -> Gimp.Layer:
    """Make a map of the group: hidden, and a veil over the result where it is shown."""
    layer = new_map(source, plane, role.capitalize())
    layer.set_visible(False)
    layer.set_opacity(VEIL)
    keep(layer, ROLE, role.encode())
    return layer


def composite(
    source: Gimp.Layer, plane: Plane, limits: Plane | None, *, over_rest: bool
) -> Gimp.Layer:
    """Make the Composite, limited by a layer mask.

    Over the rest of the source it takes its transparency from there: blended over it as it is,
    half transparent pixels would add up.
    """
    opaque = Gimp.ImageType.GRAY_IMAGE if source.is_gray() else Gimp.ImageType.RGB_IMAGE
    layer = _layer(source, plane, "Composite", opaque if over_rest else source.type())
    keep(layer, ROLE, b"composite")
    if over_rest:
        layer.set_composite_mode(Gimp.LayerCompositeMode.CLIP_TO_BACKDROP)
    _add_mask(layer, limits)
    return layer


def rest(source: Gimp.Layer, plane: Plane) -> Gimp.Layer:
    """Make the layer that shows the source where the effect is not selected."""
    layer = _layer(source, plane, "Unblurred", source.type())
    keep(layer, ROLE, b"rest")
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


def renewed(
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


def selected(source: Gimp.Layer) -> Plane | None:
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


def covers(source: Gimp.Layer, plane: Plane) -> bool:
    """Whether the result simply covers the source; otherwise both together would show."""
    normal = source.get_mode() in {Gimp.LayerMode.NORMAL, Gimp.LayerMode.NORMAL_LEGACY}
    masked = source.get_mask() is not None and source.get_apply_mask()
    return normal and source.get_opacity() == 100.0 and not masked and plane.opaque


def take_place(group: Gimp.GroupLayer, source: Gimp.Layer, dtype: str) -> None:
    """Show the group instead of the source, blended and masked as the source was."""
    group.set_opacity(source.get_opacity())
    group.set_mode(source.get_mode())
    group.set_visible(source.get_visible())
    if source.get_apply_mask():
        _add_mask(group, _mask_of(source, dtype))
    source.set_visible(False)
