"""Rendering out-of-focus blur from a picture, its depth and a matte."""

from bokeh_core.rendering.api import render

__all__ = ["render"]
