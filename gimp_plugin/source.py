"""Which layer a procedure works on, or why it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gimp_plugin import pixels
from gimp_plugin.bindings import Gimp
from gimp_plugin.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gimp_plugin.planes import Plane


def active_layer(image: Gimp.Image, drawables: Sequence[Gimp.Drawable]) -> Gimp.Layer:
    """Give the one active layer (or layer group); a layer mask stands for its layer.

    Raises
    ------
    PluginError
        Indexed image, no layer, several layers, a channel.
    """
    if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
        raise PluginError(
            "Bokeh cannot work on an indexed image: it has too few colours for a blur. "
            "Choose Image > Mode > RGB first."
        )
    if not drawables:
        raise PluginError("There is no layer to work on. Select the photo's layer and try again.")
    if len(drawables) > 1:
        raise PluginError(
            f"Bokeh works on one layer, and {len(drawables)} are selected. "
            "Select only the photo's layer."
        )
    drawable = drawables[0]
    if drawable.is_layer_mask():
        return Gimp.Layer.from_mask(drawable)
    if not drawable.is_layer():
        raise PluginError(
            "A channel is active. Select the photo's layer in the Layers dialog and try again."
        )
    return drawable


def photo(layer: Gimp.Layer) -> Plane:
    """Read the pixels of a layer that is to be blurred.

    Raises
    ------
    PluginError
        It is a layer group, or has nothing on it.
    """
    if layer.is_group():
        raise PluginError(
            "A layer group is active. Select the photo's layer in it, or merge the group "
            "(Layer > Merge Layer Group), and try again."
        )
    plane = pixels.read(layer)
    if plane.empty:
        raise PluginError(
            f'The layer "{layer.get_name()}" is empty (fully transparent). '
            "Select the photo's layer and try again."
        )
    return plane
