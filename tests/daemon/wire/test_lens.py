"""The wire's lens is the library's lens: names, defaults and bounds."""

from __future__ import annotations

import dataclasses
import typing

import msgspec
import pytest

from bokeh_core import lens as library
from bokeh_core.binned_gaussian import BinnedGaussian
from daemon.wire import lens as wire_lens

PAIRS = [(wire_lens.Lens, library.Lens), (wire_lens.BinnedGaussian, BinnedGaussian)]
same = pytest.mark.parametrize(("wire", "library_class"), PAIRS)


def bounds(annotation):
    """Ge and le of an annotation, looking through `| None`."""
    kind = msgspec.inspect.type_info(annotation)
    if isinstance(kind, msgspec.inspect.UnionType):
        kind = next(t for t in kind.types if not isinstance(t, msgspec.inspect.NoneType))
    if isinstance(kind, msgspec.inspect.LiteralType):
        return kind.values
    return getattr(kind, "ge", None), getattr(kind, "le", None)


@same
def test_fields_and_defaults_agree(wire, library_class):
    ours = {f.name: f.default for f in msgspec.structs.fields(wire)}
    theirs = {f.name: f.default for f in dataclasses.fields(library_class)}
    assert ours == theirs


@same
def test_bounds_agree(wire, library_class):
    hints = typing.get_type_hints(wire, include_extras=True)
    for field in dataclasses.fields(library_class):
        if "also" not in field.metadata:
            continue
        low, high, also = (field.metadata[key] for key in ("low", "high", "also"))
        expected = (low, high) if also is None else (also, *range(low, high + 1))
        assert bounds(hints[field.name]) == expected, field.name


@same
def test_every_default_makes_a_library_object(wire, library_class):
    assert library_class(**msgspec.structs.asdict(wire())) == library_class()


def test_a_focus_point_is_two_fractions():
    with pytest.raises(msgspec.ValidationError, match="focus_point"):
        msgspec.convert({"kind": "lens", "focus_point": [0.5, 1.5]}, wire_lens.Lens)


def test_the_largest_kernel_fits_into_a_header():
    from daemon.wire import capabilities, codec, planes, protocol

    side = library.MAX_KERNEL_SIDE
    lens = wire_lens.Lens(kernel=((0.1,) * side,) * side)
    image = planes.Image(width=16, height=16, transfer="srgb", digest="0" * 64)
    header = codec.encode(protocol.Render(id="k", image=image, lens=lens))
    assert len(header) <= capabilities.MAX_HEADER_BYTES
    assert codec.decode_client(header).lens == lens


def test_presets_are_those_of_the_library_and_all_are_offered():
    from bokeh_core.presets import LOOKS, PAPERS
    from daemon.server.handlers import PRESETS

    names = typing.get_args(typing.get_type_hints(wire_lens.Preset)["name"])
    assert list(names) == [*LOOKS, *PAPERS]
    assert [offered.name for offered in PRESETS] == list(names)
    assert [offered.f_number for offered in PRESETS if offered.f_number] == [
        look.f_number for look in LOOKS.values()
    ]
