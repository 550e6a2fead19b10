"""Moves pixels between GIMP's layers and planes."""

from __future__ import annotations

import dataclasses
from array import array
from contextlib import contextmanager
from typing import TYPE_CHECKING

from daemon.light.errors import PluginError
from daemon.light.planes import Plane
from daemon.light.words import tr
from gimp_plugin.bindings import Babl, Gegl, Gimp, GLib
from gimp_plugin.formats import MAP_CURVE, Encoding, encoding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gimp_plugin.bindings import Gio

STRIP_ROWS = 64  # a whole 12 MP picture in one get() takes ten times as long as in strips
LIGHT = "YaA float"
"""Linear light of the grey, taken times its alpha, and that alpha."""
EIGHT_BITS = Encoding("u8", MAP_CURVE)


def encoding_of(image: Gimp.Image) -> Encoding:
    """Return the wire encoding of an image's layers."""
    return encoding(image.get_precision().value_nick)


def read(layer: Gimp.Layer) -> Plane:
    """Read a layer with its non-destructive filters, without mask and opacity."""
    with _flattened(layer) as shown:
        return read_bare(shown)


def read_map(layer: Gimp.Layer, over: Gimp.Layer) -> Plane:
    """Read a map where it covers another layer: the numbers of its grey, filters included.

    The same grey is the same number in every precision; what the map does not cover is 0.
    """
    kept = encoding_of(layer.get_image()).for_maps
    _, x, y = layer.get_offsets()
    _, over_x, over_y = over.get_offsets()
    size = over.get_width(), over.get_height()
    start = over_x - x, over_y - y
    with _flattened(layer) as shown:
        data = _strips(shown.get_buffer(), _format(shown, kept, 1), start, size)
    return Plane(*size, 1, kept.dtype, "linear", data)


def read_coverage(mask: Gimp.Channel, dtype: str, x: int, y: int, size: tuple[int, int]) -> Plane:
    """Read the selection or a layer mask, whose values are linear coverage, from (x, y) on."""
    form = Encoding(dtype, "linear").babl(1)
    return Plane(*size, 1, dtype, "linear", _strips(mask.get_buffer(), form, (x, y), size))


def read_bare(layer: Gimp.Layer) -> Plane:
    """Read a layer's own pixels, whatever its filters make of them."""
    kept = encoding_of(layer.get_image())
    size = layer.get_width(), layer.get_height()
    channels = (1 if layer.is_gray() else 3) + layer.has_alpha()
    data = _strips(layer.get_buffer(), _format(layer, kept, channels), (0, 0), size)
    return Plane(*size, channels, kept.dtype, kept.transfer, data)


def fingerprint(plane: Plane, like: Gimp.Layer, curve: str = "") -> str:
    """Return a digest of how a plane looks in 8 bits: the same after a change of precision.

    Parameters
    ----------
    plane
        Pixels with the colours of a layer's image.
    like
        That layer.
    curve
        The plane's curve; empty: that of the image.
    """
    kept = Encoding(plane.dtype, curve or encoding_of(like.get_image()).curve)
    if kept == EIGHT_BITS:
        return plane.digest
    buffer = Gegl.Buffer.new(_format(like, kept, plane.channels), 0, 0, plane.width, plane.height)
    buffer.set(_extent(plane), _format(like, kept, plane.channels), plane.data)
    form = _format(like, EIGHT_BITS, plane.channels)
    seen = _strips(buffer, form, (0, 0), (plane.width, plane.height))
    return dataclasses.replace(plane, dtype="u8", data=seen).digest


def write(drawable: Gimp.Drawable, plane: Plane, curve: str = "") -> None:
    """Replace all pixels of a drawable that has the plane's size.

    Parameters
    ----------
    drawable
        The layer.
    plane
        Its pixels.
    curve
        The plane's curve, `MAP_CURVE` for a map; empty: that of the image.
    """
    kept = Encoding(plane.dtype, curve or encoding_of(drawable.get_image()).curve)
    buffer = drawable.get_buffer()
    buffer.set(_extent(plane), _format(drawable, kept, plane.channels), plane.data)
    buffer.flush()
    drawable.update(0, 0, plane.width, plane.height)


def write_coverage(channel: Gimp.Channel, plane: Plane, x: int, y: int) -> None:
    """Write a map into a channel or layer mask, from (x, y) on.

    A selection takes the numbers of a channel for coverage as they stand, though those of 8-bit
    images claim to have a curve.
    """
    curved = Babl.get_name(channel.get_format()).startswith("Y'")
    kept = Encoding(plane.dtype, "non-linear" if curved else "linear")
    buffer = channel.get_buffer()
    where = Gegl.Rectangle.new(x, y, plane.width, plane.height)
    buffer.set(where, _format(channel, kept, 1), plane.data)
    buffer.flush()
    channel.update(x, y, plane.width, plane.height)


def small(layer: Gimp.Layer, scale: float) -> tuple[int, int, bytes]:
    """Read a layer shrunk for the screen: width, height and 8-bit sRGB."""
    width = max(1, int(layer.get_width() * scale))
    height = max(1, int(layer.get_height() * scale))
    where = Gegl.Rectangle.new(0, 0, width, height)
    with _flattened(layer) as shown:
        data = shown.get_buffer().get(where, scale, "R'G'B' u8", Gegl.AbyssPolicy.CLAMP)
    return width, height, bytes(data)


def scaled(layer: Gimp.Layer, place: tuple[int, int, int, int], scale: float) -> bytes:
    """Read a part of a layer shrunk by `scale`, in 8-bit sRGB; `place` is that in the small one."""
    with _flattened(layer) as shown:
        where = Gegl.Rectangle.new(*place)
        return bytes(shown.get_buffer().get(where, scale, "R'G'B' u8", Gegl.AbyssPolicy.CLAMP))


def scaled_coverage(mask: Gimp.Channel, place: tuple[int, int, int, int], scale: float) -> bytes:
    """Read a part of the selection or a layer mask shrunk by `scale`, in 8 bits."""
    form = Encoding("u8", "linear").babl(1)
    where = Gegl.Rectangle.new(*place)
    return bytes(mask.get_buffer().get(where, scale, form, Gegl.AbyssPolicy.NONE))


def light_in(file: Gio.File, side: int) -> tuple[list[float], int]:
    """Read a picture file shrunk to a long side of at most `side`.

    Returns
    -------
    list of float, int
        Linear light of its grey, none where it is transparent, and the pixels of a row.

    Raises
    ------
    PluginError
        GIMP cannot open it.
    """
    plug_in = Gimp.get_plug_in()
    assert plug_in is not None
    handler = plug_in.get_pdb_error_handler()
    plug_in.set_pdb_error_handler(Gimp.PDBErrorHandler.PLUGIN)  # else GIMP opens a window, too
    try:
        image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file)
    except GLib.Error:
        image = None
    finally:
        plug_in.set_pdb_error_handler(handler)
    if image is None:
        said = tr("{file} cannot be read as a picture.")
        raise PluginError(said.format(file=file.get_parse_name()))
    try:
        shown = Gimp.Layer.new_from_visible(image, image, None)
        lengths = image.get_width(), image.get_height()
        scale = min(1.0, side / max(lengths))
        width, height = (max(1, int(length * scale)) for length in lengths)
        where = Gegl.Rectangle.new(0, 0, width, height)
        pixels = array("f")
        pixels.frombytes(shown.get_buffer().get(where, scale, LIGHT, Gegl.AbyssPolicy.NONE))
    finally:
        image.delete()
    return pixels[::2].tolist(), width


def to_screen(plane: Plane, like: Gimp.Layer, curve: str = "") -> bytes:
    """Convert a plane with the colours of a layer's image to 8-bit sRGB; `curve` as in `write`."""
    kept = Encoding(plane.dtype, curve or encoding_of(like.get_image()).curve)
    source = _format(like, kept, plane.channels)
    buffer = Gegl.Buffer.new("R'G'B'A float", 0, 0, plane.width, plane.height)
    buffer.set(_extent(plane), source, plane.data)
    return bytes(buffer.get(_extent(plane), 1.0, "R'G'B' u8", Gegl.AbyssPolicy.NONE))


@contextmanager
def _flattened(layer: Gimp.Layer) -> Iterator[Gimp.Layer]:
    """Lend the layer, or a copy with its filters applied when it has any.

    `get_buffer()` knows nothing of filters. What they draw around the layer is cut off. The copy
    has an image of its own: merging filters leaves a step to undo in the image of the layer.
    """
    if not layer.get_filters():
        yield layer
        return
    image = layer.get_image()
    size = layer.get_width(), layer.get_height()
    alone = Gimp.Image.new_with_precision(*size, image.get_base_type(), image.get_precision())
    try:
        alone.set_color_profile(image.get_color_profile())
        copy = Gimp.Layer.new_from_drawable(layer, alone)
        alone.insert_layer(copy, None, 0)
        copy.set_offsets(0, 0)
        copy.merge_filters()
        copy.resize_to_image_size()
        yield copy
    finally:
        alone.delete()


def _strips(buffer: Gegl.Buffer, form: str, start: tuple[int, int], size: tuple[int, int]) -> bytes:
    """Read a rectangle strip by strip; outside of the buffer everything is 0."""
    (x, y), (width, height) = start, size
    strips = []
    for top in range(0, height, STRIP_ROWS):
        where = Gegl.Rectangle.new(x, y + top, width, min(STRIP_ROWS, height - top))
        strips.append(buffer.get(where, 1.0, form, Gegl.AbyssPolicy.NONE))
    return b"".join(strips)


def _format(drawable: Gimp.Drawable, kept: Encoding, channels: int) -> str:
    return Babl.get_name(Babl.format_with_space(kept.babl(channels), drawable.get_format()))


def _extent(plane: Plane) -> Gegl.Rectangle:
    return Gegl.Rectangle.new(0, 0, plane.width, plane.height)
