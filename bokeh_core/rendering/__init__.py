"""Rendering out-of-focus blur from a picture, its depth and a matte."""

from bokeh_core.rendering.api import Prepared, prepare, render, render_prepared, render_tiles

__all__ = ["Prepared", "prepare", "render", "render_prepared", "render_tiles"]
