"""A stroke on the wire is the library's."""

from __future__ import annotations

import dataclasses
import typing

from bokeh_core import strokes as library
from daemon.light.strokes import TOOLS, Brush, Path
from daemon.wire import strokes as wire


def test_the_fields_are_those_of_the_library():
    ours = {field.name: field for field in dataclasses.fields(library.Stroke)}
    assert set(wire.Stroke.__struct_fields__) == set(ours)
    made = wire.Stroke(plane="matte", effect="raise", radius=3.0, points=(1, 2))
    for name in ("softness", "edges"):
        assert getattr(made, name) == ours[name].default


def test_every_brush_of_the_editors_is_understood():
    for tool in TOOLS:
        path = Path(Brush(tool), (400, 300))
        path.add(0.5, 0.5)
        for stroke in path.strokes():
            assert stroke.plane in ("matte", "depth")
            assert stroke.effect in typing.get_args(library.Effect)
