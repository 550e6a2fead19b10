"""An exported network gives in onnxruntime what it gives in the library."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from bokeh_core import networks, picture, samples, upsampling
from bokeh_core.errors import InputError, ModelCorrupt, ModelMissing
from bokeh_core.networks import inference, model_card, onnx_export, registry, weights_file
from bokeh_core.networks.unet import UNet, UNetConfig
from bokeh_core.picture.transfer import to_linear
from bokeh_core.training import provenance
from bokeh_core.training.identity import Run
from bokeh_core.training.recipe import PAPER
from daemon.cli.main import main

pytest.importorskip("onnxscript", reason="extra onnx")
onnx_maps = pytest.importorskip("bokeh_core.onnx_maps")

SIZES = ((512, 512), (700, 431), (900, 1300), (331, 340), (200, 150), (60, 1000))
"""Larger than the network's input and smaller, upright, wide and a strip; height, width."""


def photo(size):
    pixels = picture.read(samples.ASTRONAUT).pixels[..., :3]
    method = cv2.INTER_AREA if size[0] < 512 else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(pixels, size[::-1], interpolation=method))


def enlarged(plane, size):
    return upsampling.enlarged(plane, size, lambda _: None)


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    """Weights of a small network of the family, as a training leaves them, and its ONNX file."""
    folder = tmp_path_factory.mktemp("family")
    config = UNetConfig("plain", batch_norm=True, sobel=True, width=4)
    torch.manual_seed(3)
    weights, file = folder / "weights.safetensors", folder / "small.onnx"
    record = provenance.record_of(Run(folder, folder, PAPER, config), "small", "")
    weights_file.save(weights, UNet(config).state_dict(), record)
    assert main(["models", "onnx", str(weights), "--out", str(file)]) == 0
    return weights, file


def test_a_network_of_the_family_gives_the_same_mattes(family):
    weights, file = family
    record = registry.open_file(weights)
    look = onnx_maps.load(file)
    assert look.outputs == ("matte",)
    for size in SIZES:
        pixels = photo(size)
        seen = inference._of_family_seen(to_linear(pixels), record, torch.device("cpu"))
        found = look(pixels)["matte"]
        assert found.shape == size
        assert found.std() > 0.01
        np.testing.assert_allclose(found, enlarged(seen, size), atol=1e-3)


@pytest.mark.slow
def test_the_shared_network_gives_the_same_mattes_and_depths(tmp_path):
    file = tmp_path / "portrait.onnx"
    assert main(["models", "onnx", "portrait", "--out", str(file)]) == 0
    look = onnx_maps.load(file)
    assert look.outputs == ("matte", "animals", "depth")
    for size in SIZES:
        pixels = photo(size)
        seen = inference.predict(to_linear(pixels), device="cpu", closer=False)
        found = look(pixels)
        for name, plane in (
            ("matte", seen.matte),
            ("animals", seen.animals),
            ("depth", seen.disparity),
        ):
            np.testing.assert_allclose(found[name], enlarged(plane, size), atol=1e-3)
    assert look.record["sha256"] == registry.find("portrait").sha256


def test_looking_needs_no_torch(family):
    program = (
        "import sys, numpy as np; from bokeh_core import onnx_maps;"
        "maps = onnx_maps.load(sys.argv[1])(np.zeros((40, 50, 3), np.uint8));"
        "assert maps['matte'].shape == (40, 50); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, str(family[1])], check=True, timeout=120)


def test_a_photo_of_another_kind_is_refused(family):
    look = onnx_maps.load(family[1])
    for wrong in (np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), np.float32)):
        with pytest.raises(InputError, match="must be"):
            look(wrong)


def test_a_file_that_is_none_is_refused_by_name(tmp_path):
    with pytest.raises(ModelMissing, match=r"none\.onnx: No such file"):
        onnx_maps.load(tmp_path / "none.onnx")
    (tmp_path / "other.onnx").write_bytes(b"no network")
    with pytest.raises(ModelCorrupt, match=r"other\.onnx is no network"):
        onnx_maps.load(tmp_path / "other.onnx")


def test_what_is_missing_is_said_with_the_way_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModelMissing, match=r"onnx is not installed: .*onnx"):
        onnx_export.write("portrait", tmp_path / "a.onnx")


def test_the_card_says_what_the_record_says(family):
    weights, file = family
    text = file.with_suffix(".md").read_text(encoding="utf-8")
    record = registry.open_file(weights)
    for said in (record.command, record.sha256, record.licence, "width 4", "Input `photo`"):
        assert str(said) in text
    shipped = model_card.text(registry.find("portrait"), "portrait.safetensors")
    assert "EfficientNet-Lite0" in shipped
    assert "TCMonoDepth" in shipped


def test_a_loaded_network_sees_what_the_library_sees():
    rgb = picture.read(samples.ASTRONAUT).linear()
    network, record = networks.load("portrait", device="cpu")
    with torch.inference_mode():
        mattes, _ = network(networks.prepare(rgb, record))
    ours = torch.sigmoid(mattes[0, 0]).numpy()
    theirs = networks.predict(rgb, device="cpu", closer=False).matte  # of two mirror images
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).mean() < 0.02


def test_a_network_is_loaded_from_a_file_too(family):
    network, record = networks.load(family[0])
    assert isinstance(network, networks.UNet)
    assert (record.tasks, network.config.width) == (("portrait",), 4)
    assert json.loads(json.dumps(record.command)).startswith("defocus train portrait")
    assert Path(registry.opened_from(record.name)) == family[0]
