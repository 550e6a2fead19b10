"""The maps inside a photo's file for the photo as an editor has it: turned or scaled, but whole."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bokeh_core.picture import exif
from bokeh_core.picture.inside.maps import PhoneMaps, brought, found_in, readable, same_shape
from bokeh_core.picture.metadata import upright_pixels
from bokeh_core.picture.model import LUMINANCE
from bokeh_core.picture.reading import decode
from bokeh_core.picture.sniff import format_of

if TYPE_CHECKING:
    from bokeh_core.picture.inside.maps import Tick
    from bokeh_core.picture.model import Picture
    from bokeh_core.picture.transfer import Float32

CHANGED = "the depth map inside the file is not used: the picture was cropped or changed since"
_SIDE, _COARSE = 96, 4.0
"""Photos are compared at 96 x 96 pixels, by what a blur of sigma 4 takes away."""
_SAME = 0.5
"""Correlation of the details: other tones and colours keep it above, a crop does not."""
_CLEARLY = 0.02
_FEATURELESS = 1e-4
_BACK = {6: 8, 8: 6}


def maps_inside(data: bytes, light: Float32, tick: Tick = lambda _fraction: None) -> PhoneMaps:
    """Find the maps that a phone keeps inside a file, for the same photo in an editor.

    The photo may have been turned, mirrored, scaled, and changed in tone and colour since: it is
    compared with the one in the file.

    Parameters
    ----------
    data
        Content of the photo's file.
    light
        (H, W, 3) linear light of the photo, whose size and turn the maps get.
    tick
        Called now and then, with the fraction of a step; `Cancelled` raised in it passes through.

    Returns
    -------
    PhoneMaps
        Without maps where the file has none; also, with a note, where it is damaged or shows
        another picture, as after a crop.
    """
    return readable(lambda: _read(data, light, tick))


def _read(data: bytes, light: Float32, tick: Tick) -> PhoneMaps:
    kind = format_of(data[:64], "")
    if kind not in {"HEIC", "JPEG"}:
        return PhoneMaps()
    photo = functools.cache(lambda: decode(data))  # most files have no maps
    found = found_in(data, kind, photo)
    if found.disparity is None and found.matte is None:
        return PhoneMaps()
    tick(0.0)
    turn = _turn(light, stored := photo())
    tick(0.0)
    if turn is None:
        return PhoneMaps(depth_notes=(CHANGED,))
    upright = dataclasses.replace(stored, pixels=upright_pixels(light, turn), transfer="linear")
    maps = brought(found, data, upright, tick)
    depth, matte = (_turned_back(plane, turn) for plane in (maps.depth, maps.matte))
    return dataclasses.replace(maps, depth=depth, matte=matte)


def _turned_back(plane: Float32 | None, turn: int) -> Float32 | None:
    if plane is None:
        return None
    return np.asarray(upright_pixels(plane[..., None], _BACK.get(turn, turn))[..., 0], np.float32)


def _turn(light: Float32, stored: Picture) -> int | None:
    """Return the orientation (EXIF's number) that makes a photo what its file shows, if any does.

    What looks the same either way was not turned.
    """
    wanted, details = _details(stored.linear()), _details(light)
    likeness = {}
    for turn in range(1, 9):
        sides = light.shape[1::-1] if turn in exif.SIDEWAYS else light.shape[:2]
        if same_shape(sides, stored):
            turned = upright_pixels(details[..., None], turn)[..., 0]
            likeness[turn] = _correlation(turned, wanted)
    if not likeness:
        return None
    best = max(likeness, key=likeness.__getitem__)
    if likeness.get(1, -1.0) > likeness[best] - _CLEARLY:
        best = 1
    return best if likeness[best] > _SAME else None


def _details(light: Float32) -> Float32:
    """Return what is fine in a photo, (96, 96): places differ in it more than tones do."""
    small = cv2.resize(light, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    grey = np.cbrt(np.maximum(small @ LUMINANCE, 0))
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), _COARSE), np.float32)


def _correlation(one: Float32, other: Float32) -> float:
    """Return how alike two pictures are; 1 where neither shows anything."""
    bare = one.std() < _FEATURELESS, other.std() < _FEATURELESS
    if any(bare):
        return float(all(bare))
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
