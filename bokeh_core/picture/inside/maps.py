"""A phone's own depth and matte, brought to the photo: its orientation, its size, its edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bokeh_core import upsampling
from bokeh_core.errors import Cancelled, InputError, reason
from bokeh_core.lens import Lens
from bokeh_core.picture import exif, jpeg
from bokeh_core.picture.inside import google_maps, heif_maps, mpo_maps
from bokeh_core.picture.inside.found import Disparity, Found
from bokeh_core.picture.metadata import orientation, upright_pixels
from bokeh_core.picture.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from bokeh_core.picture.formats import Format
    from bokeh_core.picture.model import Picture
    from bokeh_core.picture.transfer import Float32

    Tick: TypeAlias = Callable[[float], None]

OWN_DEPTH = "the depth is the one inside the file"
OWN_MATTE = "the mask is the portrait matte inside the file"
_FOCAL_35MM, _FULL_FRAME_MM = 0xA405, 36.0
_RADIUS, _EPSILON = 6, 1e-3
"""Guided filter at the map's own size, about 768 x 576 on phones: windows of 13 pixels."""
_LONGEST = 1024
_SAME_SHAPE = 0.02
_LITTLE = 2e-3
"""A matte that covers less than this share shows nobody."""


@dataclass(frozen=True)
class Scene:
    """How far the scene reaches and how it is seen: what makes an f-number physical.

    Attributes
    ----------
    dioptres
        1 / distance in metres that depth 0 and depth 1 stand for.
    focal_mm
        Of the lens with the same angle of view on full frame (36 mm wide).
    """

    dioptres: tuple[float, float]
    focal_mm: float

    def coc(self, f_number: float, long_side_px: int) -> float:
        """Return the blur radius in pixels from the nearest to the farthest thing (`max_coc`).

        Of a full-frame lens with the photo's angle of view, focused in the middle of the scene.

        Raises
        ------
        InputError
            As `Lens.from_camera`.
        """
        far, near = self.dioptres
        lens = Lens.from_camera(
            image_width_px=long_side_px,
            focus_distance_m=2.0 / (far + near),
            f_number=f_number,
            focal_length_mm=self.focal_mm,
            sensor_width_mm=_FULL_FRAME_MM,
            nearest_m=1.0 / near,
            farthest_m=1.0 / far if far > 0 else math.inf,
        )
        return lens.max_coc


@dataclass(frozen=True, eq=False)
class PhoneMaps:
    """What was found inside a photo's file, as large as the photo and upright.

    Attributes
    ----------
    depth
        (H, W) float32 in [0, 1], 1 = near, linear in 1 / distance; None where there is none.
    matte
        (H, W) float32 in [0, 1], 1 = the person; None where there is none.
    scene
        Where both distances and the angle of view are known.
    depth_notes, matte_notes
        One line each on what was found and what cannot be used.
    """

    depth: Float32 | None = None
    matte: Float32 | None = None
    scene: Scene | None = None
    depth_notes: tuple[str, ...] = ()
    matte_notes: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """All notes."""
        return self.depth_notes + self.matte_notes


def phone_maps(path: str | Path, picture: Picture) -> PhoneMaps:
    """Find the depth map and the portrait matte that a phone keeps inside a photo.

    Known are depth images of HEIC, GDepth, Dynamic Depth, and depth among the pictures of a
    multi-picture JPEG. Damaged maps are left out with a note: the photo is good without.

    Parameters
    ----------
    path
        The photo's file.
    picture
        What `read` made of it.

    Raises
    ------
    InputError
        The file cannot be read any more.
    """
    if picture.format not in {"HEIC", "JPEG"}:
        return PhoneMaps()
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {reason(error)}") from error
    kind = picture.format
    return readable(lambda: brought(found_in(data, kind, lambda: picture), data, picture))


def readable(read: Callable[[], PhoneMaps]) -> PhoneMaps:
    """Give the maps that are read, or the note that they cannot be."""
    try:
        with quiet():
            return read()
    except (MemoryError, Cancelled):
        raise
    except Exception as error:  # noqa: BLE001 - on damaged data decoders fail in every way
        words = " ".join(str(error).split())[:120]
        return PhoneMaps(depth_notes=(f"the depth map inside cannot be read ({words})",))


def found_in(data: bytes, kind: Format, photo: Callable[[], Picture]) -> Found:
    """Find the maps as they lie in a file; `photo` reads its picture, where it comes to that."""
    if kind == "HEIC":
        return heif_maps.found(data)
    packet = jpeg.metadata(jpeg.found(data)).xmp
    disparity = google_maps.found(data, packet)
    if disparity is not None:
        return Found(disparity, kind="JPEG with depth")
    return mpo_maps.found(data, lambda: _stored_luminance(data, photo()))


def _stored_luminance(data: bytes, picture: Picture) -> Float32:
    """Return the photo small and as it is stored, before its orientation was applied."""
    small = cv2.resize(picture.pixels[..., :3].astype(np.float32), (64, 64)).reshape(64, 64, -1)
    grey = small.mean(axis=2, keepdims=True)
    back = {6: 8, 8: 6}.get(was := orientation(jpeg.metadata(jpeg.found(data))), was)
    return np.asarray(upright_pixels(grey, back)[..., 0], np.float32)


def brought(
    found: Found, data: bytes, picture: Picture, tick: Tick = lambda _fraction: None
) -> PhoneMaps:
    """Bring what was found in a file to the picture of it: its turn, its size, its edges."""
    depth = scene = matte = None
    notes: tuple[str, ...] = ()
    about_matte: tuple[str, ...] = ()
    if found.disparity is not None:
        turned = _turned(found.disparity.values, data, picture)
        disparity = Disparity(turned, found.disparity.dioptres)
        if disparity.is_flat:
            notes = (f"the depth map inside the {found.kind} is the same everywhere: not used",)
        else:
            disparity = disparity.stretched()
            depth, scene = _sized(disparity.values, picture, tick), _scene(disparity, picture)
            physical = "" if scene is None else ", distances in metres"
            size = f"{turned.shape[1]} x {turned.shape[0]}{physical}"
            notes = (f"{OWN_DEPTH}, {size}",)
    if found.matte is not None:
        values = _turned(found.matte, data, picture)
        if float(values.mean()) > _LITTLE:
            matte = _sized(values, picture, tick)
            about_matte = (OWN_MATTE,)
    return PhoneMaps(depth, matte, scene, notes, about_matte)


def _turned(plane: Float32, data: bytes, picture: Picture) -> Float32:
    """Turn a map as the photo was turned, unless it is upright already.

    A map has the sides of the stored photo; where it has those of the upright one only, the
    program that wrote it has turned it.
    """
    if picture.format == "HEIC":
        # libheif has turned it, but where the turn of the map itself is missing EXIF has a copy
        was = 1 if same_shape(plane.shape, picture) else heif_maps.exif_orientation(data) or 1
    else:
        was = orientation(jpeg.metadata(jpeg.found(data)))
        stored = jpeg.found(data).frame
        square = stored is None or stored.width == stored.height
        if was in exif.SIDEWAYS and not square and same_shape(plane.shape, picture):
            was = 1
    turned = upright_pixels(plane[..., None], was)[..., 0]
    if not same_shape(turned.shape, picture):
        height, width = turned.shape
        raise InputError(f"it is {width} x {height}, of other proportions than the photo")
    return np.asarray(turned, np.float32)


def same_shape(shape: tuple[int, ...], picture: Picture) -> bool:
    """Whether rows and columns have the proportions of a picture, as far as whole pixels tell."""
    rows, columns = shape
    ratio = columns / rows * picture.height / picture.width
    return bool(abs(ratio - 1) < _SAME_SHAPE + 1 / min(shape))


def _sized(plane: Float32, picture: Picture, tick: Tick) -> Float32:
    """Bring a map to the photo's size along the photo's edges."""
    light = picture.linear()
    if plane.shape[0] >= picture.height:
        return upsampling.resized(plane, (picture.width, picture.height)).clip(0, 1)
    size = upsampling.size_within(plane.shape, _LONGEST)
    small = upsampling.resized(plane, size)
    colours = upsampling.guide(upsampling.resized(light, size))
    model = upsampling.fit(colours, small, np.ones_like(small), _RADIUS, _EPSILON)
    full = upsampling.by_strips(
        (picture.height, picture.width),
        lambda part: upsampling.applied(model, light, part),
        tick,
    )
    return np.asarray(full.clip(0, 1), np.float32)


def _scene(disparity: Disparity, picture: Picture) -> Scene | None:
    focal = exif.number(picture.metadata.exif, _FOCAL_35MM)
    if disparity.dioptres is None or not focal or not 5 <= focal <= 2000:
        return None
    return Scene(disparity.dioptres, focal)
