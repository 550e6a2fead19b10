"""Optional models: loaded from a tiny model of the same format, refused when they are not right."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from bokeh_core import picture
from bokeh_core.analysis import analyse
from bokeh_core.depth import estimate_depth
from bokeh_core.errors import InputError, ModelCorrupt, ModelMissing
from bokeh_core.networks import hub
from bokeh_core.segmentation import portrait_matte

CPU = torch.device("cpu")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty place for fetched models."""
    monkeypatch.setattr(hub.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    hub.network.cache_clear()
    yield
    hub.network.cache_clear()


def recorded(model):
    """The model with the hashes of what lies in its folder."""
    config, weights = (
        hashlib.sha256((hub.folder(model) / name).read_bytes()).hexdigest() for name in model.files
    )
    return replace(model, config_sha256=config, sha256=weights)


@pytest.fixture
def transformers():
    return pytest.importorskip("transformers", reason="the extra [hub] is not installed")


@pytest.fixture
def installed(cache, transformers, monkeypatch):
    """Put a network with random weights in the place of an optional model, as if fetched."""

    def install(name, network, config, input_size):
        torch.manual_seed(0)
        folder = hub.folder(hub.find(name))
        network(config).save_pretrained(folder)
        model = recorded(replace(hub.find(name), input_size=input_size))
        monkeypatch.setitem(hub.MODELS, name, model)
        return model

    return install


@pytest.fixture
def tiny(installed, transformers):
    """A Depth Anything of a few thousand weights."""
    backbone = transformers.Dinov2Config(
        image_size=56,
        patch_size=14,
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        mlp_ratio=2,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
        apply_layernorm=True,
    )
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone,
        patch_size=14,
        reassemble_hidden_size=16,
        neck_hidden_sizes=[4, 8, 16, 16],
        fusion_hidden_size=8,
        head_hidden_size=4,
    )
    network = transformers.DepthAnythingForDepthEstimation
    return installed("depth-anything-v2-small", network, config, 84)


@pytest.fixture
def tiny_matting(installed, transformers):
    """A ViTMatte of a few thousand weights."""
    backbone = transformers.VitDetConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        mlp_ratio=2,
        image_size=64,
        patch_size=16,
        num_channels=4,
        window_size=4,
        window_block_indices=[0],
        residual_block_indices=[],
        use_relative_position_embeddings=True,
        out_features=["stage2"],
    )
    config = transformers.VitMatteConfig(
        backbone_config=backbone,
        hidden_size=16,
        convstream_hidden_sizes=[4, 6, 8],
        fusion_hidden_sizes=[12, 8, 6, 4],
    )
    return installed("vitmatte-small", transformers.VitMatteForImageMatting, config, 128)


@pytest.fixture(scope="module")
def astronaut():
    from importlib.resources import files

    return picture.read(files("bokeh_core") / "samples" / "astronaut.png").linear()


@pytest.mark.parametrize("refine", ["none", "border"])
def test_a_matting_model_has_nothing_to_do_with_a_coarse_matte(tiny_matting, astronaut, refine):
    with pytest.raises(InputError, match=f"{tiny_matting.name} refines a guided matte"):
        portrait_matte(astronaut, model=tiny_matting.name, refine=refine)


def test_a_matting_model_refines_only_the_outline(tiny_matting, astronaut):
    plain = portrait_matte(astronaut)
    refined = portrait_matte(astronaut, model=tiny_matting.name)
    assert refined.shape == plain.shape
    assert refined.min() >= 0
    assert refined.max() <= 1
    changed = np.abs(refined - plain) > 0.02
    assert changed.any()  # a network that was never trained finds something else
    unsure = cv2.dilate(((plain > 0.02) & (plain < 0.98)).astype(np.uint8), np.ones((99, 99)))
    assert not changed[unsure == 0].any()


def test_a_matting_model_is_used_by_the_joint_call_and_leaves_the_depth_alone(
    tiny_matting, astronaut
):
    small = np.ascontiguousarray(astronaut[::4, ::4])
    matte, depth = analyse(small, model=tiny_matting.name)
    np.testing.assert_array_equal(matte, portrait_matte(small, model=tiny_matting.name))
    np.testing.assert_array_equal(depth, estimate_depth(small, matte=matte))
    with pytest.raises(InputError, match="no depth"):
        estimate_depth(small, model=tiny_matting.name)


def test_a_matting_model_sees_colours_and_trimap_as_it_was_trained_to(tiny_matting, monkeypatch):
    """Both in the ranges that transformers' own preprocessing gives."""
    from transformers import VitMatteImageProcessor

    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, (64, 96, 3), dtype=np.uint8)
    trimap = rng.choice(np.array([0, 128, 255], np.uint8), (64, 96))
    wanted = VitMatteImageProcessor()(images=codes, trimaps=trimap, return_tensors="pt")
    seen = []

    def network(*_):
        def run(pixel_values):
            seen.append(pixel_values)
            return SimpleNamespace(alphas=torch.zeros(1, 1, 64, 96))

        return run

    found = np.select([trimap == 0, trimap == 255], [0, 1], 0.5).astype(np.float32)
    with monkeypatch.context() as patch:
        patch.setattr(hub, "network", network)
        hub.alpha(codes / np.float32(255), found, tiny_matting, CPU)
    assert float((seen[0] - wanted["pixel_values"]).abs().max()) < 0.003  # 128 / 255 is not 0.5


def test_a_matting_model_that_is_missing_says_so_even_where_nobody_is(cache):
    rgb = np.zeros((40, 40, 3), np.float32)
    with pytest.raises(ModelMissing, match="defocus models fetch vitmatte-small"):
        portrait_matte(rgb, model="vitmatte-small")


def test_a_fetched_model_gives_the_depth(tiny):
    rgb = np.random.default_rng(0).random((90, 60, 3), np.float32)
    depth = estimate_depth(rgb, model=tiny.name)
    assert depth.shape == (90, 60)
    assert depth.min() >= 0
    assert depth.max() <= 1
    assert np.abs(depth - estimate_depth(rgb)).mean() > 0.01


def test_a_depth_model_is_used_by_the_joint_call_and_leaves_the_matte_to_the_default(tiny):
    rgb = np.random.default_rng(0).random((90, 60, 3), np.float32)
    matte, depth = analyse(rgb, model=tiny.name)
    assert matte.shape == (90, 60)
    np.testing.assert_array_equal(depth, estimate_depth(rgb, matte=matte, model=tiny.name))
    with pytest.raises(InputError, match="depth-anything-v2-small gives depth, no mattes"):
        portrait_matte(rgb, model=tiny.name)


@pytest.mark.parametrize("name", [hub.CONFIG, hub.WEIGHTS])
def test_a_changed_file_is_refused_with_what_to_do(tiny, name):
    path = hub.folder(tiny) / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ModelCorrupt, match=rf"{name} is not .*models fetch {tiny.name} replaces"):
        hub.network(tiny, CPU)


@pytest.mark.parametrize(
    ("part", "key", "value", "complaint"),
    [
        ("backbone_config", "num_hidden_layers", 6, "missing_keys"),
        ("backbone_config", "num_hidden_layers", 3, r"unexpected_keys|cannot build"),
        ("backbone_config", "hidden_size", 32, "cannot build"),
        ("backbone_config", "hidden_size", "abc", "hidden_size"),
        ("backbone_config", "model_type", "nonesuch", "nonesuch"),
        (None, "model_type", "dpt", "cannot build"),
        (None, "head_hidden_size", 8, "mismatched"),
        (None, "neck_hidden_sizes", None, "cannot build"),
    ],
)
def test_a_network_that_does_not_fit_its_weights_is_not_used(tiny, part, key, value, complaint):
    """As when another version of transformers builds it in another way: no layer stays random."""
    path = hub.folder(tiny) / hub.CONFIG
    config = json.loads(path.read_text())
    (config[part] if part else config)[key] = value
    path.write_text(json.dumps(config))
    with pytest.raises(ModelCorrupt, match=complaint) as found:
        hub.network(recorded(tiny), CPU)
    assert str(path) in str(found.value)
    assert "install.py --with hub" in str(found.value)
    assert "\n" not in str(found.value)


def test_loading_leaves_nothing_on_the_terminal(tiny, tiny_matting, capfd):
    hub.network(tiny, CPU)
    hub.network(tiny_matting, CPU)
    assert capfd.readouterr() == ("", "")


def test_a_matting_and_a_depth_model_stay_loaded_beside_each_other(tiny, tiny_matting):
    matte, depth = hub.network(tiny_matting, CPU), hub.network(tiny, CPU)
    assert hub.network(tiny_matting, CPU) is matte
    assert hub.network(tiny, CPU) is depth


def test_a_model_that_was_not_fetched_says_how(cache):
    with pytest.raises(ModelMissing, match="defocus models fetch depth-anything-v2-small"):
        estimate_depth(np.zeros((20, 20, 3), np.float32), model="depth-anything-v2-small")


def test_an_unknown_model_lists_the_known_ones():
    with pytest.raises(ModelMissing, match="depth-anything-v2-small"):
        hub.find("biggest")


def vitmatte_config():
    """The file on the hub, byte for byte: with it there, only the weights are asked for."""
    backbone = {
        "hidden_size": 384,
        "image_size": 512,
        "model_type": "vitdet",
        "num_attention_heads": 6,
        "num_channels": 4,
        "out_features": ["stage12"],
        "out_indices": [12],
        "residual_block_indices": [2, 5, 8, 11],
        "use_relative_position_embeddings": True,
        "window_block_indices": [0, 1, 3, 4, 6, 7, 9, 10],
        "window_size": 14,
    }
    config = {
        "_commit_hash": None,
        "architectures": ["VitMatteForImageMatting"],
        "backbone_config": backbone,
        "convstream_hidden_sizes": [48, 96, 192],
        "fusion_hidden_sizes": [256, 128, 64, 32],
        "hidden_size": 384,
        "initializer_range": 0.02,
        "model_type": "vitmatte",
        "torch_dtype": "float32",
        "transformers_version": None,
    }
    return (json.dumps(config, indent=2) + "\n").encode()


@pytest.fixture
def served(cache, monkeypatch, server):
    """A model of two small files on a local server in the place of the hub."""
    reason = "the extra [hub] is not installed"
    constants = pytest.importorskip("huggingface_hub.constants", reason=reason)
    template = server.address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    model = hub.find("vitmatte-small")
    contents = {hub.CONFIG: b"{}", hub.WEIGHTS: bytes(3_000_000)}
    for name, content in contents.items():
        server.files[f"/{model.repository}/resolve/{model.revision}/{name}"] = content
    config, weights = (hashlib.sha256(content).hexdigest() for content in contents.values())
    return replace(model, config_sha256=config, sha256=weights, bytes=3_000_000)


def test_fetching_brings_what_is_missing_or_wrong_and_nothing_else(served, server):
    seen = []
    place = hub.fetch(served, lambda stage, fraction: seen.append((stage, fraction)))
    hub.check(served)
    assert seen[-2:] == [("3.0 of 3.0 MB", 1.0), ("checked", 1.0)]
    assert [fraction for _, fraction in seen[1:]] == sorted(fraction for _, fraction in seen[1:])
    assert not list(place.glob("*.part"))
    assert [headers["Authorization"] for headers in server.seen] == ["Bearer hf_secret"] * 2
    hub.fetch(served, lambda *_: None)
    assert len(server.seen) == 2
    (place / hub.CONFIG).write_bytes(b"{ }")
    hub.fetch(served, lambda *_: None)
    hub.check(served)
    assert len(server.seen) == 3


def test_an_interrupt_keeps_what_came(served, server):
    def interrupt(_, fraction):
        if fraction > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hub.fetch(served, interrupt)
    assert not hub.fetched(served)
    kept = (hub.folder(served) / f"{hub.WEIGHTS}.part").stat().st_size
    assert kept > 0.3 * served.bytes
    hub.fetch(served, lambda *_: None)
    hub.check(served)
    assert server.seen[-1]["Range"] == f"bytes={kept}-"


def test_a_killed_fetch_goes_on_on_the_command_line(server, tmp_path):
    pytest.importorskip("huggingface_hub", reason="the extra [hub] is not installed")
    model = hub.find("vitmatte-small")
    place = tmp_path / "defocus" / "models" / model.name
    place.mkdir(parents=True)
    (place / hub.CONFIG).write_bytes(vitmatte_config())
    server.files[f"/{model.repository}/resolve/{model.revision}/{hub.WEIGHTS}"] = bytes(3_000_000)
    server.breaks_after, server.stalls = 1_000_000, True
    words = [sys.executable, "-m", "daemon.cli.main", "models", "fetch", model.name, "--yes"]
    surroundings = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "HF_ENDPOINT": server.address}
    first = subprocess.Popen(words, env=surroundings, stdout=subprocess.DEVNULL)
    part = place / f"{hub.WEIGHTS}.part"
    until = time.monotonic() + 120
    while not part.exists() or part.stat().st_size < 1_000_000:
        assert first.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    first.kill()
    first.wait()
    second = subprocess.run(words, env=surroundings, capture_output=True, text=True, check=False)
    assert [headers["Range"] for headers in server.seen] == [None, "bytes=1000000-"]
    assert second.returncode == 1
    assert "SHA-256 differs" in second.stderr  # three megabytes of nothing are no weights
    assert second.stderr.count("\n") == 1
    assert not part.exists()


def test_every_optional_model_is_pinned():
    for model in hub.MODELS.values():
        assert {len(digest) for digest in model.files.values()} == {64}
        assert len(model.revision) == 40
        assert model.licence in {"Apache-2.0", "MIT"}
