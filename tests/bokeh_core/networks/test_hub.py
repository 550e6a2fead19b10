"""Optional models: loaded from a tiny model of the same format, refused when they are not right."""

from __future__ import annotations

import hashlib
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


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty place for fetched models."""
    monkeypatch.setattr(hub.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    hub.network.cache_clear()
    yield
    hub.network.cache_clear()


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
        digest = hashlib.sha256((folder / hub.WEIGHTS).read_bytes()).hexdigest()
        model = replace(hub.find(name), input_size=input_size, sha256=digest)
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
        hub.alpha(codes / np.float32(255), found, tiny_matting, "cpu")
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


def test_changed_weights_are_refused_with_what_to_do(tiny):
    path = hub.folder(tiny) / hub.WEIGHTS
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelCorrupt, match="models fetch"):
        hub.network(tiny, "cpu")


def test_a_model_that_was_not_fetched_says_how(cache):
    with pytest.raises(ModelMissing, match="defocus models fetch depth-anything-v2-small"):
        estimate_depth(np.zeros((20, 20, 3), np.float32), model="depth-anything-v2-small")


def test_an_unknown_model_lists_the_known_ones():
    with pytest.raises(ModelMissing, match="depth-anything-v2-small"):
        hub.find("biggest")


def fetching(monkeypatch, download):
    hub_library = pytest.importorskip("huggingface_hub", reason="the extra [hub] is not installed")
    monkeypatch.setattr(hub_library, "hf_hub_download", download)


def test_fetching_checks_what_came_and_removes_a_wrong_file(cache, monkeypatch):
    def download(repository, name, *, revision, local_dir):
        assert len(revision) == 40
        local_dir.mkdir(parents=True, exist_ok=True)
        (local_dir / name).write_bytes(b"something else")

    fetching(monkeypatch, download)
    model = hub.find("depth-anything-v2-small")
    with pytest.raises(ModelCorrupt, match="SHA-256"):
        hub.fetch(model, lambda *_: None)
    assert not (hub.folder(model) / hub.WEIGHTS).exists()


def test_a_broken_connection_says_that_it_can_go_on(cache, monkeypatch):
    def download(*_, **__):
        raise ConnectionError("reset")

    fetching(monkeypatch, download)
    with pytest.raises(ModelMissing, match="goes on from there"):
        hub.fetch(hub.find("depth-anything-v2-small"), lambda *_: None)


def test_every_optional_model_is_pinned():
    for model in hub.MODELS.values():
        assert len(model.sha256) == 64
        assert len(model.revision) == 40
        assert model.licence in {"Apache-2.0", "MIT"}
