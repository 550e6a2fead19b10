"""A picture file as aperture, made of it as the editors do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bokeh_core.errors import InputError
from bokeh_core.picture import read, to_linear
from bokeh_core.upsampling import resized, size_within
from daemon.light.aperture_picture import LARGEST, LUMINANCE, kernel_of, text_of
from daemon.light.errors import PluginError

if TYPE_CHECKING:
    from pathlib import Path


def kernel_in(path: Path) -> list[list[int]]:
    """Read the `kernel` of a lens from a picture of any size.

    Raises
    ------
    InputError
        It is no picture, or has no light in it.
    """
    picture = read(path, min_side=1)
    light = picture.linear() @ LUMINANCE
    if picture.has_alpha:
        light = light * to_linear(picture.pixels[..., -1], "linear")
    small = resized(light, size_within(light.shape, LARGEST))
    try:
        return kernel_of(text_of(small.ravel().tolist(), small.shape[1]))
    except PluginError as error:
        raise InputError(f"{path}: {error}") from None
