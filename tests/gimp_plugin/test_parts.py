"""Planes, formats, previews' order, the focus mark, and what may be imported when."""

from __future__ import annotations

import ast
import struct
import sys
import threading
from pathlib import Path

import pytest

from gimp_plugin import marker
from gimp_plugin.engine import Latest
from gimp_plugin.formats import encoding
from gimp_plugin.planes import Plane

PLUGIN = Path(__file__).parents[2] / "gimp_plugin"


def plane(channels, dtype, pixel, count=6):
    return Plane(count, 1, channels, dtype, "srgb", pixel * count)


@pytest.mark.parametrize(
    ("dtype", "code", "full"), [("u8", "B", 255), ("u16", "<H", 65535), ("f32", "<f", 1.0)]
)
def test_alpha_is_seen_in_every_type(dtype, code, full):
    clear = plane(2, dtype, struct.pack(code, full) + struct.pack(code, 0))
    solid = plane(2, dtype, struct.pack(code, 0) + struct.pack(code, full))
    mixed = Plane(12, 1, 2, dtype, "srgb", clear.data + solid.data)
    assert (clear.empty, clear.opaque) == (True, False)
    assert (solid.empty, solid.opaque) == (False, True)
    assert (mixed.empty, mixed.opaque) == (False, False)
    assert plane(3, dtype, bytes(3 * struct.calcsize(code))).opaque


def test_a_plane_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="expected 12 bytes of pixels, got 11"):
        Plane(2, 2, 3, "u8", "srgb", bytes(11))


@pytest.mark.parametrize(
    ("precision", "channels", "name", "transfer"),
    [
        ("u8-non-linear", 3, "R'G'B' u8", "srgb"),
        ("u8-linear", 4, "RGBA u8", "linear"),
        ("u16-perceptual", 1, "Y~ u16", "srgb"),
        ("u32-non-linear", 2, "Y'A float", "srgb"),
        ("half-linear", 3, "RGB float", "linear"),
        ("double-non-linear", 3, "R'G'B' float", "srgb"),
    ],
)
def test_formats_keep_type_and_curve(precision, channels, name, transfer):
    assert encoding(precision).babl(channels) == name
    assert encoding(precision).transfer == transfer


def test_a_newer_wish_replaces_one_that_was_not_begun():
    box = Latest()
    box.put("old")
    newest = box.put("new")
    taken = box.take()
    assert (taken.generation, taken.wish) == (newest, "new")


def test_a_newer_wish_stops_the_one_being_fulfilled_but_not_the_first():
    box = Latest()
    box.put("first")
    first = box.take()
    box.put("second")
    assert not first.stop.is_set(), "its analysis is needed"
    assert box.accept(first.generation)
    second = box.take()
    assert not second.stop.is_set()
    box.put("third")
    assert second.stop.is_set()
    assert not box.take().stop.is_set()


def test_closing_may_stop_what_is_being_fulfilled():
    box = Latest()
    box.put("wish")
    taken = box.take()
    box.close()
    assert not taken.stop.is_set()
    box.close(stop=True)
    assert taken.stop.is_set()


def test_a_stale_reply_never_overtakes_a_new_one():
    box = Latest()
    first, second = box.put("first"), box.put("second")
    assert box.accept(second)
    assert not box.accept(first)
    assert box.accept(second), "a finer one of the same wish"


def test_closing_wakes_the_one_who_waits():
    box = Latest()
    taken = []
    thread = threading.Thread(target=lambda: taken.append(box.take()))
    thread.start()
    box.close()
    thread.join(5)
    assert taken == [None]
    assert not box.accept(box.put("late"))


@pytest.mark.parametrize("point", [(0.0, 0.0), (0.5, 0.5), (0.99, 0.99)])
def test_the_mark_stays_inside_and_touches_little(point):
    before = bytes([90]) * (3 * 40 * 30)
    after = marker.drawn(40, 30, before, point)
    assert len(after) == len(before)
    changed = sum(a != b for a, b in zip(after, before, strict=True))
    assert 0 < changed < 3 * 40 * 30 / 4


def test_the_executable_imports_only_the_standard_library_and_gi_at_first():
    tree = ast.parse((PLUGIN / "bokeh.py").read_text())
    names = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    assert names <= sys.stdlib_module_names | {"gi"}


def test_the_executable_can_be_executed():
    assert (PLUGIN / "bokeh.py").stat().st_mode & 0o111
    assert (PLUGIN / "bokeh.py").read_text().startswith("#!/usr/bin/env python3\n")
