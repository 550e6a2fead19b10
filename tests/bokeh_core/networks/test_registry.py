"""Weights are loaded only when they are exactly what the record says."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
import safetensors.torch
import torch

from bokeh_core.errors import ModelCorrupt, ModelMissing
from bokeh_core.networks import inference, registry, shipped, strands
from bokeh_core.networks.shared import fill

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path):
    for path in registry.WEIGHTS.glob("*.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", shipped.index())
def test_every_embedded_file_is_as_recorded_and_fits_its_network(name):
    record = registry.find(name)
    tensors = registry.load_tensors(record)
    kinds = {**inference.BUILDERS, strands.ARCHITECTURE: lambda _: strands.StrandNet()}
    network = kinds[record.architecture](record)
    fill(network, tensors, getattr(network, "IDENTITIES", ()))
    assert record.bytes == (registry.WEIGHTS / record.file).stat().st_size
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())


def test_all_embedded_weights_stay_below_24_megabytes():
    assert sum(record.bytes for record in shipped.index().values()) <= 24e6


@pytest.mark.parametrize("place", [0, 9, 5_000, -1])
def test_one_flipped_bit_is_refused_by_name(folder, place):
    record = registry.find(registry.DEFAULT, folder)
    path = folder / record.file
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelCorrupt, match=record.file):
        registry.load_tensors(record, folder)


@pytest.mark.parametrize("keep", [0, 7, 100_000])
def test_a_truncated_file_is_refused(folder, keep):
    record = registry.find(registry.DEFAULT, folder)
    path = folder / record.file
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelCorrupt, match="install"):
        registry.load_tensors(record, folder)


def test_a_foreign_file_with_a_matching_hash_is_still_no_weights(folder):
    import hashlib

    record = registry.find(registry.DEFAULT, folder)
    pickle = b"\x80\x04not safetensors"
    (folder / record.file).write_bytes(pickle)
    forged = replace(record, sha256=hashlib.sha256(pickle).hexdigest())
    with pytest.raises(ModelCorrupt, match="safetensors"):
        registry.load_tensors(forged, folder)


def test_a_missing_file_says_what_to_do(folder):
    record = registry.find(registry.DEFAULT, folder)
    (folder / record.file).unlink()
    with pytest.raises(ModelMissing, match=r"install\.py"):
        registry.verify(record, folder)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ModelMissing, match=rf"{registry.DEFAULT}.*defocus models list"):
        registry.find("nobody")


def test_a_missing_or_damaged_list_is_refused(tmp_path):
    with pytest.raises(ModelMissing):
        shipped.index(tmp_path)
    (tmp_path / "registry.json").write_text('[{"name": "x"}]')
    with pytest.raises(ModelCorrupt, match="sha256"):
        shipped.index(tmp_path)
    (tmp_path / "registry.json").write_text("{")
    with pytest.raises(ModelCorrupt):
        shipped.index(tmp_path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda _: [], "no list of weights"),
        (lambda _: {}, "no list of weights"),
        (lambda rows: {"portrait": rows[0]}, "no list of weights"),
        (lambda _: ["portrait"], "'portrait' is no record"),
        (lambda rows: [rows[0] | {"name": 1}], "name is 1"),
        (lambda rows: [rows[0] | {"bytes": "many"}], "bytes is 'many'"),
        (lambda rows: [rows[0] | {"input_size": None}], "input_size is None"),
        (lambda rows: [rows[0] | {"tasks": "portrait"}], "tasks is 'portrait'"),
        (lambda rows: [rows[0] | {"tasks": [1]}], "tasks is "),
        (lambda rows: [rows[0] | {"colour": "red"}], "colour"),
    ],
)
def test_a_list_of_something_else_is_refused_by_every_command(
    folder, monkeypatch, capsys, change, complaint
):
    from daemon.cli.main import main

    path = folder / "registry.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(ModelCorrupt, match=complaint):
        shipped.index(folder)
    monkeypatch.setattr(shipped.index, "__defaults__", (folder,))
    for action in ("verify", "list"):
        assert main(["models", action]) == 1
        error = capsys.readouterr().err
        assert f"{path} is damaged" in error
        assert "python3 install.py" in error
        assert error.count("\n") == 1


def test_embedding_writes_a_record_that_verifies(tmp_path):
    record = registry.find(registry.DEFAULT)
    tensors = {"a": torch.linspace(-2, 2, 7)}
    written = shipped.write(
        replace(record, name="tiny", file="tiny.safetensors"), tensors, tmp_path
    )
    assert registry.find("tiny", tmp_path) == written
    torch.testing.assert_close(
        registry.load_tensors(written, tmp_path)["a"], tensors["a"], atol=1e-3, rtol=0
    )
    assert len(json.loads((tmp_path / "registry.json").read_text())) == 1


def test_an_embedding_that_cannot_be_written_leaves_what_was_there(tmp_path):
    record = replace(registry.find(registry.DEFAULT), name="tiny", file="tiny.safetensors")
    before = shipped.write(record, {"a": torch.zeros(7)}, tmp_path)
    (tmp_path / "registry.json.part").mkdir()  # no room for the second file
    with pytest.raises(OSError, match="registry"):
        shipped.write(record, {"a": torch.ones(7)}, tmp_path)
    assert registry.find("tiny", tmp_path) == before
    assert not registry.load_tensors(before, tmp_path)["a"].any()


@pytest.fixture
def fresh():
    """No network stays loaded."""
    inference.loaded.cache_clear()
    yield
    inference.loaded.cache_clear()


def test_weights_of_another_network_are_refused_with_what_to_do(fresh, monkeypatch):
    path = registry.WEIGHTS / registry.find(registry.DEFAULT).file
    with monkeypatch.context() as patch:
        patch.setattr(registry, "load_tensors", lambda _: {"other": torch.zeros(1)})
        with pytest.raises(ModelCorrupt, match=rf"^{path} does not fit .*install\.py$"):
            inference.network(registry.DEFAULT, CPU)
    monkeypatch.setattr(inference, "BUILDERS", {})
    with pytest.raises(ModelCorrupt, match=rf"^{path}: architecture .*install\.py$"):
        inference.network(registry.DEFAULT, CPU)


@pytest.mark.parametrize("content", [b"no weights", safetensors.torch.save({"a": torch.ones(1)})])
def test_a_file_that_the_user_gave_is_not_restored_by_the_installer(fresh, tmp_path, content):
    path = tmp_path / "mine.safetensors"
    path.write_bytes(content)
    record = registry.open_file(path)
    with pytest.raises(ModelCorrupt, match=r"^\S*mine\.safetensors ") as found:
        inference.network(record.name, CPU)
    path.unlink()
    with pytest.raises(ModelMissing) as gone:
        inference.network(record.name, CPU)
    for complaint in (found, gone):
        assert str(path) in str(complaint.value)
        assert "install" not in str(complaint.value)
