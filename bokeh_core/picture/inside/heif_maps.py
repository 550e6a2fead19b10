"""Depth and matte beside the picture of a HEIC (ISO/IEC 23008-12; Apple's portrait photos)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bokeh_core.picture import exif, heif
from bokeh_core.picture.inside.found import (
    Disparity,
    Found,
    from_disparity,
    from_distance,
    from_inverse,
    unit,
)

if TYPE_CHECKING:
    from bokeh_core.picture.transfer import Float32

_MATTE = "urn:com:apple:photo:2018:aux:portraiteffectsmatte"
_INVERSE_Z, _DISPARITY, _Z = 0, 1, 2


def found(data: bytes) -> Found:
    """Find the maps; libheif has turned them, where the file says so."""
    file = heif.opened(data)
    image = file[file.primary_index]
    depths = image.info.get("depth_images") or []
    mattes = (image.info.get("aux") or {}).get(_MATTE) or []
    return Found(
        disparity=_disparity(depths[0]) if depths else None,
        matte=unit(heif.pixels_of(image.get_aux_image(mattes[0]))) if mattes else None,
        kind="HEIC",
    )


def _disparity(image: Any) -> Disparity:
    codes = unit(heif.pixels_of(image))
    about = image.info.get("metadata") or {}
    kind = about.get("representation_type", _DISPARITY)
    if kind == _Z:
        return from_distance(codes, about.get("z_near"), about.get("z_far"))
    if kind == _INVERSE_Z:
        return _from_inverse_z(codes, about)
    return from_disparity(codes, about.get("d_min"), about.get("d_max"))


def _from_inverse_z(codes: Float32, about: dict[str, Any]) -> Disparity:
    """Codes that grow evenly with 1 / z, from the farthest to the nearest (H.265, F.14.3.3)."""
    turned = from_inverse(1 - codes, about.get("z_near"), about.get("z_far"))
    return turned if turned.dioptres else from_disparity(codes, None, None)


def exif_orientation(data: bytes) -> int | None:
    """Return the orientation that the EXIF block tells, which libheif has not looked at."""
    file = heif.opened(data)
    return exif.orientation(heif.exif_of(file[file.primary_index]))
