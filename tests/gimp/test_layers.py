"""What Portrait Bokeh puts into the image, pixel by pixel against the library's own result."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from PIL import Image

import bokeh_core as bc
from bokeh_core.analysis import analyse
from bokeh_core.picture import from_linear, to_linear
from daemon.light.parameters import Parameters
from tests.gimp.scripts import load_cases

CASES = load_cases("layers.py")
NUMPY = {"u8": "u1", "u16": "<u2", "u32": "<u4", "half": "<f2", "float": "<f4", "double": "<f8"}
FULL = {"u8": 255.0, "u16": 65535.0, "u32": 4294967295.0, "half": 1.0, "float": 1.0, "double": 1.0}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Compute as the daemon of these tests does."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def results(gimp, portrait):
    """All cases, run in one GIMP."""
    Image.fromarray(portrait).save(gimp.out / "photo.png")
    gimp.batch("layers.py")
    return gimp


def array(results, name, role):
    """Return the raw samples of a layer, (H, W, C)."""
    entry = results.read("table")[name]
    form = entry["formats"][("source", "composite", "mask", "depth").index(role)]
    dtype = np.dtype(NUMPY[form.split()[1]])
    width, height = entry["size"]
    return np.frombuffer((results.out / f"{name}.{role}").read_bytes(), dtype).reshape(
        height, width, -1
    )


def wire(samples):
    """Return samples as they travel: u8 and u16 as they are, everything else as float32."""
    if samples.dtype.kind == "u" and samples.dtype.itemsize <= 2:
        return samples
    full = FULL["u32"] if samples.dtype.kind == "u" else 1.0
    return (samples.astype(np.float64) / full).astype(np.float32)


@functools.cache
def analysis(light, shape):
    """Run the networks once for equal pixels."""
    return analyse(np.frombuffer(light, np.float32).reshape(shape))


def expected(source, transfer, arguments):
    """Compute with the library alone: the picture, what blur left alone, matte and depth."""
    codes = wire(source)
    colours = codes[..., : 1 if codes.shape[2] < 3 else 3]
    light = np.maximum(to_linear(np.ascontiguousarray(colours), transfer), 0)
    light = np.repeat(light, 3, axis=2) if light.shape[2] == 1 else light
    matte, depth = analysis(light.tobytes(), light.shape)
    height, width = matte.shape
    fields = Parameters(**arguments).lens(width, height)
    kind = bc.Lens if fields.pop("kind") == "lens" else bc.BinnedGaussian
    look = kind(**fields)
    if kind is bc.Lens:
        look = look.resolved(depth, matte)
    rendered = bc.render(light, depth=depth, matte=matte, lens=look)
    sharp = (rendered == light).all(axis=2)
    if colours.shape[2] == 1:
        rendered = rendered[..., 1:2]
    return from_linear(rendered, codes.dtype, transfer), sharp, matte, depth


@pytest.mark.parametrize("name", CASES)
def test_layers_match_the_library(results, name):
    precision, _, alpha, _, arguments = CASES[name]
    entry = results.read("table")[name]
    source, composite = array(results, name, "source"), array(results, name, "composite")
    assert entry["formats"][0] == entry["formats"][1], "the composite has another format"
    transfer = "linear" if precision.endswith("_LINEAR") and "NON" not in precision else "srgb"
    picture, sharp, matte, depth = expected(source, transfer, arguments)

    colours = picture.shape[2]
    step = {"u1": 1, "u2": 4}.get(picture.dtype.str[1:], 2e-3)  # half floats have 11 bits
    difference = np.abs(wire(composite)[..., :colours].astype(np.float64) - picture)
    assert difference.max() <= step
    if name in {"u32", "double"}:  # 32-bit floats travel: 24 bits of these remain
        kept = np.abs(wire(composite) - wire(source))[sharp].max() <= 2**-23
    else:
        kept = np.array_equal(composite[sharp], source[sharp])
    assert kept, "in-focus pixels have changed"
    assert sharp.mean() > 0.2 or "focus" in arguments
    assert not np.array_equal(composite, source), "nothing was blurred"
    if alpha:
        assert np.array_equal(composite[..., -1], source[..., -1])

    for role, values in (("mask", matte), ("depth", depth)):
        grey = array(results, name, role)
        assert np.ptp(grey.astype(np.float64), axis=2).max() <= 1e-6, f"{role} is not grey"
        scale = FULL[entry["formats"][2].split()[1]]
        fine = 1 / 255 if scale == 255 else 1e-3
        fine *= 2 if transfer == "linear" else 1  # rounded twice, and light is steep near white
        stored = to_linear(values, "srgb") if transfer == "linear" else values  # as it looks
        assert np.abs(grey[..., 0].astype(np.float64) / scale - stored).max() <= fine


@pytest.mark.parametrize("name", CASES)
def test_layers_lie_exactly_over_the_source(results, name):
    entry = results.read("table")[name]
    assert entry["tree"][0] == ["Bokeh", ["Mask", "Depth", "Composite"]]
    assert all(offset == entry["offsets"][0] for offset in entry["offsets"])
    assert entry["visible"] == [True, True, True, False, False]
