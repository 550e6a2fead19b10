"""What Bokeh puts into a document, pixel by pixel against the library's own result."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bokeh_core.picture import to_linear
from tests.gimp.test_layers import expected
from tests.krita.scripts import load_cases

CASES = load_cases("layers.py")
NUMPY = {"U8": "u1", "U16": "<u2", "F16": "<f2", "F32": "<f4"}
FULL = {"U8": 255.0, "U16": 65535.0, "F16": 1.0, "F32": 1.0}
ORDER = {("RGBA", "U8"): [2, 1, 0, 3], ("RGBA", "U16"): [2, 1, 0, 3]}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Compute as the daemon of these tests does."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def array(stage, name, role):
    """Return the samples of a layer in the order of the wire, (H, W, C)."""
    model, depth = CASES[name][:2]
    samples = np.frombuffer((stage.out / f"{name}.{role}").read_bytes(), NUMPY[depth])
    samples = samples.reshape(120, 120, 4 if model == "RGBA" else 2)
    return samples[..., ORDER.get((model, depth), slice(None))]


@pytest.mark.parametrize("name", CASES)
def test_layers_match_the_library(stage, name):
    _, depth, profile, alpha, _, settings = CASES[name]
    source, composite = array(stage, name, "source"), array(stage, name, "composite")
    transfer = "linear" if "-g10" in profile else "srgb"
    picture, sharp, matte, far = expected(source, transfer, settings)

    colours = source.shape[2] - 1
    step = {"U8": 1, "U16": 4}.get(depth, 2e-3)  # half floats have 11 bits
    difference = np.abs(composite[..., :colours].astype(np.float64) - picture)
    assert difference.max() <= step
    assert np.array_equal(composite[sharp], source[sharp]), "in-focus pixels have changed"
    assert sharp.mean() > 0.2
    assert not np.array_equal(composite, source), "nothing was blurred"
    assert np.array_equal(composite[..., -1], source[..., -1])
    assert (len(np.unique(source[..., -1])) > 1) == alpha

    for role, values in (("mask", matte), ("depth", far)):
        grey = array(stage, name, role).astype(np.float64) / FULL[depth]
        assert np.ptp(grey[..., :colours], axis=2).max() == 0, f"{role} is not grey"
        assert (grey[..., -1] == 1).all()
        # middle grey to the eye is one half
        shown = to_linear(values, "srgb") if transfer == "linear" else values
        assert np.abs(grey[..., 0] - shown).max() <= (1 / 255 if depth == "U8" else 1e-3)


@pytest.mark.parametrize("name", CASES)
def test_layers_lie_exactly_over_the_source_in_its_colour_space(stage, name):
    entry = stage.facts("layers")[name]
    _, depth, profile, alpha, offset, _ = CASES[name]
    assert entry["tree"] == [["Bokeh", ["Composite", "Mask", "Depth"]], "Background"]
    assert entry["areas"] == [[*offset, 120, 120]] * 4
    assert entry["profiles"] == [profile] * 4
    assert entry["depths"] == [depth] * 4
    # a source that lets something through would show beside its result
    assert entry["visible"] == [not alpha, True, True, False, False]
