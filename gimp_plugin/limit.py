"""Where in the photo the blur shows: inside a selection, or where a layer mask lets it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gimp_plugin import pixels
from gimp_plugin.bindings import Gimp, GLib
from gimp_plugin.widgets import GdkPixbuf

if TYPE_CHECKING:
    from gimp_plugin.group import Group


@dataclass(frozen=True)
class Limit:
    """Coverage of a layer by the effect.

    Parameters
    ----------
    layer
        The layer that is blurred.
    coverage
        The selection, or a layer mask.
    x, y
        Where the layer begins in it.
    """

    layer: Gimp.Layer
    coverage: Gimp.Channel
    x: int
    y: int
    _photos: dict[tuple[Any, ...], bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, layer: Gimp.Layer, existing: Group | None) -> Limit | None:
        """Find what limits a render; None when it shows everywhere."""
        if existing is None:
            image = layer.get_image()
            if Gimp.Selection.is_empty(image):
                return None
            _, x, y = layer.get_offsets()
            return cls(layer, image.get_selection(), x, y)
        composite = existing.member("composite")
        mask = None if composite is None else composite.get_mask()
        if composite is None or mask is None or not composite.get_apply_mask():
            return None
        return cls(layer, mask, 0, 0)

    def shown(self, picture: tuple[int, int, bytes], area: tuple[int, int, int, int]) -> bytes:
        """Return a result as OK will show it: the photo where the effect is not.

        Parameters
        ----------
        picture
            Width, height and 8-bit sRGB of the result.
        area
            Left, top, width and height of what it shows, in pixels of the layer.
        """
        width, height, result = picture
        left, top, wide, _ = area
        scale = width / wide
        key = (width, height, area)
        if key not in self._photos:
            self._photos.clear()
            place = round(left * scale), round(top * scale), width, height
            self._photos[key] = pixels.scaled(self.layer, place, scale)
        at = round((self.x + left) * scale), round((self.y + top) * scale)
        cover = pixels.scaled_coverage(self.coverage, (*at, width, height), scale)
        return _blended(width, height, self._photos[key], result, cover)


def _blended(width: int, height: int, photo: bytes, result: bytes, cover: bytes) -> bytes:
    """Lay a result over a photo, (height, width) RGB in 8 bits, where a coverage says so."""
    veiled = bytearray(4 * width * height)
    for channel in range(3):
        veiled[channel::4] = result[channel::3]
    veiled[3::4] = cover
    below = _pixbuf(width, height, photo, alpha=False).copy()
    assert below is not None
    above = _pixbuf(width, height, bytes(veiled), alpha=True)
    everywhere = 0, 0, width, height
    above.composite(below, *everywhere, 0.0, 0.0, 1.0, 1.0, GdkPixbuf.InterpType.NEAREST, 255)
    data, step = bytes(below.get_pixels()), below.get_rowstride()
    return b"".join(data[row * step :][: 3 * width] for row in range(height))


def _pixbuf(width: int, height: int, data: bytes, *, alpha: bool) -> GdkPixbuf.Pixbuf:
    step = (4 if alpha else 3) * width
    return GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(data), GdkPixbuf.Colorspace.RGB, alpha, 8, width, height, step
    )
