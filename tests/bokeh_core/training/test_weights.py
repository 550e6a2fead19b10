"""A run may begin from embedded weights or from a file, and says which it was."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace

import pytest
import safetensors.torch
import torch

from bokeh_core.errors import InputError, ModelCorrupt, ModelMissing
from bokeh_core.networks import own, registry
from bokeh_core.networks.shared import SharedPortraitNet
from bokeh_core.networks.unet import UNetConfig
from bokeh_core.training import export, loop, run_folder, runs, weights
from bokeh_core.training.identity import Run
from bokeh_core.training.recipe import FURTHER, Recipe

pytestmark = pytest.mark.usefixtures("own_models")
SHORT = replace(FURTHER, steps=1, batch=2, sizes=((0.0, 64),))


def test_embedded_weights_are_found_by_name():
    network = SharedPortraitNet()
    assert weights.load(network, "portrait") == registry.find("portrait").sha256
    wanted = registry.load_tensors(registry.find("portrait"))
    held = network.state_dict()
    assert all(torch.equal(held[name], value) for name, value in wanted.items())


def test_a_file_is_found_by_its_path_and_named_by_its_hash(tmp_path):
    torch.manual_seed(3)
    source = SharedPortraitNet()
    path = tmp_path / "mine.safetensors"
    safetensors.torch.save_file({k: v.half() for k, v in source.state_dict().items()}, path)
    network = SharedPortraitNet()
    assert weights.load(network, str(path)) == hashlib.sha256(path.read_bytes()).hexdigest()
    for name, value in source.state_dict().items():
        assert torch.equal(network.state_dict()[name], value.half().float())


def test_weights_from_before_a_part_began_as_the_identity_give_the_same_network(tmp_path):
    torch.manual_seed(3)
    grown, fresh = SharedPortraitNet().eval(), SharedPortraitNet().eval()
    old = {
        name: value
        for name, value in grown.state_dict().items()
        if not name.startswith(SharedPortraitNet.IDENTITIES)
    }
    assert len(old) < len(grown.state_dict())
    path = tmp_path / "old.safetensors"
    safetensors.torch.save_file(old, path)
    weights.load(fresh, str(path))
    with torch.no_grad():
        for ours, theirs in zip(
            fresh(photo := torch.rand(1, 3, 64, 96)), grown(photo), strict=True
        ):
            torch.testing.assert_close(ours, theirs)
    safetensors.torch.save_file({**old, "mixing.0.unheard_of": torch.zeros(1)}, path)
    with pytest.raises(ModelCorrupt, match="another network"):
        weights.load(fresh, str(path))


def test_what_cannot_be_used_is_refused_by_name(tmp_path):
    with pytest.raises(ModelMissing, match="there are: portrait"):
        weights.find("nothing")
    with pytest.raises(ModelMissing, match="absent"):
        weights.find(str(tmp_path / "absent.safetensors"))
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"damaged")
    with pytest.raises(ModelCorrupt, match="damaged"):
        weights.find(str(damaged))
    other = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"x": torch.zeros(2)}, other)
    with pytest.raises(ModelCorrupt, match="another network"):
        weights.load(SharedPortraitNet(), str(other))


def test_the_run_goes_on_from_there_and_its_record_says_so(tmp_path, portraits):
    plan = Run(tmp_path / "run", portraits, SHORT, init="portrait")
    state = runs.train(plan, print)
    before = registry.load_tensors(registry.find("portrait"))
    after = state.network.state_dict()
    moved = max(float((after[name] - before[name]).abs().max()) for name in before)
    assert 0 < moved < 0.01  # one step at the low rate of a warm-up
    record = export.export(plan, state, "further")
    assert "--init portrait" in record.command
    assert record.begun_from == registry.find("portrait").sha256
    assert registry.find("further") == record


def test_the_record_holds_what_was_trained_and_claims_no_more(tmp_path, portraits):
    recipe = replace(
        FURTHER, steps=7, batch=2, sizes=((0.0, 64),), rate=1e-3, encoder_rate=1e-3, average=0.5
    )
    file = tmp_path / "begun.safetensors"
    plan = Run(tmp_path, portraits, recipe, folders=("drawn",), limit=9, init=str(file))
    state = loop.create(SharedPortraitNet(), recipe)
    plain = export.export(plan, state, "plain")
    assert plain.command == (
        "defocus train joint --data DIR --folders drawn --limit 9 --init begun.safetensors "
        "--steps 7 --seed 1 --batch 2 --size 64 --rate 0.001 [average=0.5]"
    )
    assert (plain.licence, plain.teacher) == (export.UNKNOWN, export.UNKNOWN)
    stated = export.export(plan, state, "mine", licence="MIT", teacher="people")
    card = own.folder() / "mine.md"
    assert "| Licence of the weights | MIT |" in card.read_text(encoding="utf-8")
    registry.remove("mine")
    assert not card.exists()
    assert (stated.licence, stated.teacher) == ("MIT", "people")
    usual = Run(tmp_path, portraits, Recipe(minutes=12.5))
    command = export.export(usual, state, "usual").command
    assert command == "defocus train joint --data DIR --minutes 12.5 --seed 1"
    grown = replace(
        FURTHER, minutes=9, sizes=FURTHER.with_sizes((64, 96, 128)), weights=(("a", 2),)
    )
    listed = Run(tmp_path, portraits, grown, init=str(file), unknown=frozenset({"drawn/003"}))
    command = export.export(listed, state, "grown").command
    assert command == (
        "defocus train joint --data DIR --unknown LIST-OF-1 --init begun.safetensors "
        "--minutes 9 --seed 1 --size 64,96,128 --weights a=2"
    )


def test_a_resumed_run_still_knows_what_it_began_from(tmp_path, portraits):
    plan = Run(tmp_path / "run", portraits, SHORT, init="portrait")
    runs.train(plan, print)
    longer = replace(plan, recipe=replace(SHORT, steps=2))
    assert runs.train(longer, print).begun_from == registry.find("portrait").sha256


def test_only_the_shared_network_goes_on_from_weights(tmp_path, portraits):
    plan = Run(
        tmp_path, portraits, Recipe("portrait"), UNetConfig("plain", width=4), init="portrait"
    )
    with pytest.raises(InputError, match="joint"):
        runs.train(plan, print)


def test_a_share_of_the_weights_it_began_from_can_be_kept(tmp_path, portraits):
    plan = Run(tmp_path / "run", portraits, replace(SHORT, rate=0.5), init="portrait")
    state = runs.train(plan, print)
    before = registry.load_tensors(registry.find("portrait"))
    record = export.export(plan, state, "mixed", keep=0.25)
    assert record.command.endswith("--keep 0.25")
    mixed = registry.load_tensors(record)
    moved = False
    for name in before:
        value = mixed[name]
        wanted = 0.75 * state.averaged[name] + 0.25 * before[name]
        torch.testing.assert_close(value, wanted.half().float(), atol=1e-4, rtol=2e-3)
        moved = moved or not torch.equal(value, before[name])
    assert moved


def test_a_share_of_weights_that_had_not_every_part_is_one_of_what_the_run_began_with(
    tmp_path, portraits
):
    whole = registry.load_tensors(registry.find("portrait"))
    later = SharedPortraitNet.IDENTITIES
    old = {name: value for name, value in whole.items() if not name.startswith(later)}
    safetensors.torch.save_file(old, tmp_path / "old.safetensors")
    plan = Run(tmp_path / "run", portraits, SHORT, init=str(tmp_path / "old.safetensors"))
    state = runs.train(plan, print)
    state.averaged = {name: torch.ones_like(value) for name, value in state.averaged.items()}
    mixed = registry.load_tensors(export.export(plan, state, "m", keep=0.5))
    assert float(mixed["matte.deepen2.second.weight"].max()) == 0.5


def test_a_share_is_kept_only_of_what_the_run_began_from(tmp_path, portraits):
    start = tmp_path / "start.safetensors"
    shutil.copy(registry.WEIGHTS / "portrait.safetensors", start)
    plan = Run(tmp_path / "run", portraits, SHORT, init=str(start))
    state = runs.train(plan, print)
    shutil.copy(tmp_path / "run" / run_folder.WEIGHTS, start)
    with pytest.raises(ModelCorrupt, match=r"start.safetensors is no longer what the run began"):
        export.export(plan, state, "mixed", keep=0.5)
    assert "mixed" not in own.index()


@pytest.mark.parametrize(("init", "share"), [("", 0.5), ("portrait", 1.5), ("portrait", -0.1)])
def test_there_must_be_weights_that_a_share_is_kept_of(tmp_path, portraits, init, share):
    plan = Run(tmp_path / "run", portraits, SHORT, init=init, pretrained=False)
    state = runs.train(plan, print)
    with pytest.raises(InputError, match="--init"):
        export.export(plan, state, "mixed", keep=share)
