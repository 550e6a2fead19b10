"""Rendering out-of-focus blur from a picture, its depth and a matte."""

from bokeh_core.rendering.api import Prepared, prepare, render, render_prepared, render_tiles
from bokeh_core.rendering.override import overridden_depth
from bokeh_core.rendering.tiles import Bounds

__all__ = [
    "Bounds",
    "Prepared",
    "overridden_depth",
    "prepare",
    "render",
    "render_prepared",
    "render_tiles",
]
