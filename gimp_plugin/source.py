"""Which layer a procedure works on, or why it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.light import photo_file
from daemon.light.errors import PluginError
from daemon.light.facts import SMALLEST_SIDE
from daemon.light.words import tr
from gimp_plugin import pixels
from gimp_plugin.bindings import Gimp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.light.planes import File, Plane


def active_layer(image: Gimp.Image, drawables: Sequence[Gimp.Drawable]) -> Gimp.Layer:
    """Return the one active layer (or layer group); a layer mask stands for its layer.

    Raises
    ------
    PluginError
        Indexed image, no layer, several layers, a channel.
    """
    if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
        raise PluginError(
            tr(
                "Bokeh cannot work on an indexed image: it has too few colours for a blur. "
                "Choose Image > Mode > RGB first."
            )
        )
    if not drawables:
        raise PluginError(
            tr("There is no layer to work on. Select the photo's layer and try again.")
        )
    if len(drawables) > 1:
        raise PluginError(
            tr(
                "Bokeh works on one layer, and {n} are selected. Select only the photo's layer."
            ).format(n=len(drawables))
        )
    drawable = drawables[0]
    if isinstance(drawable, Gimp.LayerMask):
        return Gimp.Layer.from_mask(drawable)
    if not isinstance(drawable, Gimp.Layer):
        raise PluginError(
            tr("A channel is active. Select the photo's layer in the Layers dialog and try again.")
        )
    return drawable


def photo(layer: Gimp.Layer) -> Plane:
    """Read the pixels of a layer that is to be blurred.

    Raises
    ------
    PluginError
        It is a layer group, is too small, or has nothing on it.
    """
    if layer.is_group():
        raise PluginError(
            tr(
                "A layer group is active. Select the photo's layer in it, or merge the group "
                "(Layer > Merge Layer Group), and try again."
            )
        )
    small = min(layer.get_width(), layer.get_height())
    if small < SMALLEST_SIDE:
        raise PluginError(
            tr(
                'The layer "{layer}" has only {width} x {height} pixels; Bokeh needs {n} each way. '
                "Select the photo's layer and try again."
            ).format(
                layer=layer.get_name(),
                width=layer.get_width(),
                height=layer.get_height(),
                n=SMALLEST_SIDE,
            )
        )
    plane = pixels.read(layer)
    if plane.empty:
        raise PluginError(
            tr(
                'The layer "{layer}" is empty (fully transparent). Select the photo\'s layer and '
                "try again."
            ).format(layer=layer.get_name())
        )
    return plane


def file_of(layer: Gimp.Layer) -> File | None:
    """Read the file that a layer came from, where the layer is all that is in it.

    Whether it still shows the same picture is for the daemon to see.
    """
    image = layer.get_image()
    _, left, top = layer.get_offsets()
    sides = [each.get_width() for each in (layer, image)], [e.get_height() for e in (layer, image)]
    imported = image.get_imported_file()
    if imported is None or (left, top) != (0, 0) or any(one != other for one, other in sides):
        return None
    return photo_file.read(imported.get_path())
