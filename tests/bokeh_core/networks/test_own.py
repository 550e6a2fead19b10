"""The user's own weights: written once, whole, telling what they are; used when chosen."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch

from bokeh_core.errors import InputError, ModelCorrupt, ModelMissing
from bokeh_core.networks import (
    hub,
    imagenet,
    inference,
    own,
    records,
    registry,
    tasks,
    weights_file,
)
from bokeh_core.networks.records import FAMILY, ModelRecord
from bokeh_core.networks.unet import UNet, UNetConfig

pytestmark = pytest.mark.usefixtures("own_models")
CPU = torch.device("cpu")
TINY = UNetConfig("plain", batch_norm=True, sobel=True, width=4)


def record(name="mine", task="portrait", variant=TINY):
    return ModelRecord(
        name=name,
        tasks=(task,),
        architecture=FAMILY,
        file="",
        sha256="",
        bytes=0,
        input_size=64,
        licence="CC0",
        data="drawn",
        teacher="nobody",
        command="defocus train portrait --data DIR",
        mean=imagenet.MEAN,
        std=imagenet.STD,
        variant=variant,
    )


def network(variant=TINY):
    torch.manual_seed(0)
    return UNet(variant).eval()


@pytest.fixture
def photo():
    return np.random.default_rng(0).random((48, 64, 3), np.float32)


@pytest.mark.parametrize(
    "variant",
    [
        TINY,
        UNetConfig("plain", width=8, upsampling="nearest"),
        UNetConfig("plain", width=4, skips=False, sobel=True),
    ],
    ids=str,
)
def test_an_exported_network_is_rebuilt_from_its_file_alone(variant, photo):
    source = network(variant)
    written = registry.export(record(variant=variant), source.state_dict())
    found = registry.find("mine")
    assert found == written
    assert (found.licence, found.variant, found.mean) == ("CC0", variant, imagenet.MEAN)
    rebuilt, _ = inference.network("mine", CPU)
    pixels = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(rebuilt(pixels), source(pixels), atol=0.01, rtol=0)
    seen = inference.predict(photo, model="mine")
    assert seen.matte.shape == seen.animals.shape
    assert not seen.animals.any()


def test_the_colours_statistics_in_the_file_are_those_that_are_used():
    source = network()
    registry.export(record(), source.state_dict())
    registry.export(replace(record("grey"), mean=(0.0,) * 3, std=(1.0,) * 3), source.state_dict())
    nets = [inference.network(name, CPU)[0] for name in ("mine", "grey")]
    pixels = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        shifted = (pixels - nets[0].mean) / nets[0].std
        assert not torch.allclose(nets[0](pixels), nets[1](pixels))
        encoded = [net.encoder(x) for net, x in zip(nets, (shifted, shifted), strict=True)]
    torch.testing.assert_close(encoded[0][-1], encoded[1][-1])


def test_nothing_that_is_there_is_replaced(own_models):
    registry.export(record(), network().state_dict())
    before = (own_models / "mine.safetensors").read_bytes()
    with pytest.raises(InputError, match="models remove mine"):
        registry.export(record(), {"other": torch.zeros(1)})
    for known in ("portrait", "hair", "vitmatte-small"):
        with pytest.raises(InputError, match="choose another"):
            registry.export(record(known), {})
    assert (own_models / "mine.safetensors").read_bytes() == before
    assert [path.name for path in own_models.iterdir()] == ["mine.safetensors"]


def test_a_changed_weight_is_told_from_what_was_exported(own_models):
    registry.export(record(), network().state_dict())
    path = own_models / "mine.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelCorrupt, match="not those it was written with"):
        registry.load_tensors(registry.find("mine"))


def test_a_kill_while_writing_leaves_no_file_that_counts(own_models, monkeypatch):
    monkeypatch.setattr(
        weights_file.os, "fdopen", lambda *_: (_ for _ in ()).throw(OSError("full"))
    )
    with pytest.raises(OSError, match="full"):
        registry.export(record(), network().state_dict())
    assert own.index() == {}
    assert list(own_models.iterdir()) == []


@pytest.mark.parametrize(
    "told",
    [
        "{",
        "[]",
        '{"name": "x"}',
        json.dumps(records.to_json(record()) | {"variant": {"colour": 1}}),
        json.dumps(records.to_json(record()) | {"variant": {"width": "wide"}}),
        json.dumps(records.to_json(record()) | {"mean": ["red"]}),
        json.dumps(records.to_json(record()) | {"input_size": "large"}),
    ],
)
def test_a_file_that_tells_nonsense_is_refused_and_left_out(own_models, told):
    own_models.mkdir(parents=True)
    path = own_models / "odd.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(1)}, path, {weights_file.KEY: told})
    with pytest.raises(ModelCorrupt, match="what it says of itself"):
        registry.find("odd")
    assert own.index() == {}


def test_an_unknown_encoder_is_refused_when_it_is_built(own_models):
    row = records.to_json(record()) | {"sha256": ""}
    row["variant"] = row["variant"] | {"encoder": "resnet"}
    tensors = {"a": torch.zeros(1)}
    row["sha256"] = weights_file.digest(tensors)
    own_models.mkdir(parents=True)
    path = own_models / "odd.safetensors"
    safetensors.torch.save_file(tensors, path, {weights_file.KEY: json.dumps(row)})
    with pytest.raises(ModelCorrupt, match="resnet"):
        inference.network("odd", CPU)


def test_a_name_is_no_path(own_models, tmp_path):
    weights_file.save(tmp_path / "secret.safetensors", network().state_dict(), record())
    own_models.mkdir(parents=True)
    with pytest.raises(ModelMissing):
        registry.find("../../secret")


def test_what_is_used_is_chosen_by_task_and_falls_back_when_it_is_removed(own_models):
    registry.export(record(), network().state_dict())
    registry.export(record("deep", "depth"), network().state_dict())
    assert (registry.use("mine"), registry.use("deep")) == (("matte",), ("depth",))
    assert [registry.chosen(use) for use in ("matte", "depth", "hair")] == ["mine", "deep", "hair"]
    assert registry.use("portrait") == ("matte", "depth")
    assert not (own_models / "use.json").exists()
    registry.use("mine")
    registry.remove("mine")
    assert registry.chosen("matte") == "portrait"
    with pytest.raises(ModelMissing, match="deep"):
        registry.remove("portrait")


def test_a_chosen_file_that_is_gone_is_told_with_the_way_back(own_models):
    registry.export(record(), network().state_dict())
    registry.use("mine")
    (own_models / "mine.safetensors").unlink()
    assert registry.chosen("matte") == "mine"
    with pytest.raises(ModelMissing, match="defocus models use portrait"):
        registry.find("mine")
    registry.use("portrait")
    assert registry.chosen("matte") == "portrait"


def test_a_fetched_model_can_be_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(hub.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    model = hub.find("vitmatte-small")
    with pytest.raises(ModelMissing):
        registry.remove(model.name)
    hub.folder(model).mkdir(parents=True)
    (hub.folder(model) / hub.WEIGHTS).touch()
    own.choose({"matte": model.name})
    assert registry.remove(model.name) == hub.folder(model)
    assert not hub.folder(model).exists()
    assert registry.chosen("matte") == "portrait"


def test_a_choice_that_cannot_be_read_chooses_nothing(own_models):
    own_models.mkdir(parents=True)
    for content in ("{", "[]", '{"matte": 3}', '{"colour": "red"}'):
        (own_models / "use.json").write_text(content)
        assert own.choices() == {}


def test_weights_are_used_for_what_they_give():
    registry.export(record(), network().state_dict())
    tasks.check("mine", "matte")
    with pytest.raises(InputError, match="mine gives mattes, no depth"):
        tasks.check("mine", "depth")
    with pytest.raises(InputError, match="only refines"):
        tasks.check_sees("hair")


def test_a_family_network_sees_its_task_and_the_default_the_other(photo):
    registry.export(record(), network().state_dict())
    registry.export(record("deep", "depth"), network().state_dict())
    usual = inference.predict(photo, closer=False)
    matte, depth = (inference.predict(photo, model=name, closer=False) for name in ("mine", "deep"))
    np.testing.assert_array_equal(matte.disparity, usual.disparity)
    np.testing.assert_array_equal(depth.matte, usual.matte)
    np.testing.assert_array_equal(matte.matte, depth.disparity)
    assert matte.matte.shape == (64, 64) or matte.matte.size == pytest.approx(64 * 64, rel=0.5)


def test_a_file_can_be_taken_in_when_it_says_what_it_is(tmp_path):
    path = tmp_path / "weights.safetensors"
    weights_file.save(path, network().state_dict(), record("run"))
    assert registry.add(path, "taken").name == "taken"
    assert registry.find("taken").variant == TINY
    silent = tmp_path / "silent.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(1)}, silent)
    with pytest.raises(InputError, match="does not say"):
        registry.add(silent, "silent")
    assert list(own.index()) == ["taken"]


def test_other_weights_under_the_same_name_are_loaded_anew(photo):
    registry.export(record(), network().state_dict())
    before = inference.predict(photo, model="mine").matte
    stamp = registry.stamp("mine")
    registry.remove("mine")
    other = {name: value * 0.5 for name, value in network().state_dict().items()}
    registry.export(record(), other)
    assert registry.stamp("mine") != stamp
    assert not np.array_equal(inference.predict(photo, model="mine").matte, before)


@pytest.mark.parametrize(
    "config",
    [
        UNetConfig("plain", width=4),
        TINY,
        UNetConfig("plain", width=4, upsampling="pixelshuffle"),
        UNetConfig("plain", width=8, upsampling="transposed", sobel=True),
        UNetConfig("plain", width=4, skips=False),
    ],
    ids=str,
)
def test_weights_without_a_record_tell_their_network(tmp_path, config, photo):
    path = tmp_path / "weights.safetensors"
    tensors = {name: t.contiguous() for name, t in network(config).state_dict().items()}
    safetensors.torch.save_file(tensors, path)
    for task in ("portrait", "depth"):
        found = registry.open_file(path, task)
        assert (found.variant, found.tasks) == (config, (task,))
        inference.predict(photo, model=found.name)
