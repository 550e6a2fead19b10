"""Mixed precision is chosen by what the device gains, and changes a training only a little."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from bokeh_core.errors import InputError
from bokeh_core.networks.shared import SharedPortraitNet
from bokeh_core.networks.unet import UNet, UNetConfig
from bokeh_core.training import precision, runs
from bokeh_core.training.identity import Run
from bokeh_core.training.recipe import PAPER, Recipe


@pytest.mark.parametrize(
    ("asked", "device", "units", "wanted"),
    [
        ("fp32", "cuda", True, "fp32"),
        ("auto", "cuda:0", False, "fp16 mixed precision"),
        ("auto", "cpu", True, "bf16 mixed precision"),
        ("auto", "cpu", False, "fp32"),
        ("bf16", "cpu", False, "bf16 mixed precision"),
        ("auto", "mps", True, "fp32"),
    ],
)
def test_auto_takes_what_the_device_gains_by(monkeypatch, asked, device, units, wanted):
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: units)
    found = precision.choose(asked, device)
    assert str(found) == wanted
    assert found.scaled == wanted.startswith("fp16")


def test_an_unknown_precision_is_refused():
    with pytest.raises(InputError, match="auto, fp32, bf16"):
        precision.choose("fp8", "cpu")


@pytest.mark.parametrize("network", [UNet(UNetConfig("plain", width=8)), SharedPortraitNet()])
def test_mixed_precision_gives_fp32_outputs_close_to_the_full_ones(network):
    torch.manual_seed(0)
    rgb = torch.rand(2, 3, 64, 64)
    network = network.eval()
    full, mixed = (precision.choose(name, "cpu") for name in ("fp32", "bf16"))
    with torch.no_grad():
        a, b = full.forward(network)(rgb), mixed.forward(network)(rgb)
    for exact, rough in zip(*((x if isinstance(x, tuple) else (x,)) for x in (a, b)), strict=True):
        assert rough.dtype == torch.float32
        spread = float(exact.std())
        assert 0 < float((exact - rough).abs().max()) < 0.1 * spread + 0.02


def test_a_training_in_bf16_learns_as_one_in_fp32_does(tmp_path, portraits):
    short = Recipe(
        task="portrait", steps=40, batch=4, sizes=((0.0, 64),), rate=3e-3, encoder_rate=3e-3
    )
    scores = {}
    for name in ("fp32", "bf16"):
        plan = Run(
            tmp_path / name,
            portraits,
            replace(short, precision=name),
            UNetConfig("plain", batch_norm=True, width=4),
        )
        scores[name] = runs.train(plan, print).curve[-1].validation["loss"]
    assert scores["bf16"] == pytest.approx(scores["fp32"], rel=0.1)


def test_the_papers_recipe_leaves_the_choice_to_the_device():
    assert PAPER.precision == "auto"
