"""`defocus dataset`: made, taken up again, and read back."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from bokeh_core.picture import from_linear
from bokeh_core.training.bokeh_dataset import BokehDataset
from bokeh_core.training.layouts import find
from daemon.cli.dataset_work import variations
from daemon.cli.main import main


@pytest.fixture
def photo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    coarse = np.random.default_rng(5).integers(0, 255, (4, 6, 3), np.uint8)
    path = tmp_path / "w" / "a.png"
    path.parent.mkdir()
    cv2.imwrite(str(path), cv2.resize(coarse, (96, 64), interpolation=cv2.INTER_CUBIC))
    return path


SMALL = ["--long-side", "64", "--f-numbers", "2,8", "--workers", "1", "--json"]


@pytest.mark.slow
def test_made_and_read_back(photo, tmp_path, capsys):
    words = ["dataset", "w", "--scenes", "1", "--out", "set", "--focus", "0.1", *SMALL]
    words += ["--shapes", "round,hexagon", "--licence", "CC-BY-4.0", "--origin", "this test"]
    words += ["--test-share", "0"]
    assert main(words) == 0
    samples = list(BokehDataset(tmp_path / "set"))
    by_truth = {
        kind: [s for s in samples if s.row["truth"] == kind] for kind in ("exact", "estimated")
    }
    assert (len(by_truth["exact"]), len(by_truth["estimated"])) == (2, 4)
    for sample in samples:
        assert sample.image.shape == sample.bokeh.shape == (*sample.mask.shape, 3)
        assert sample.image.shape[1] == 64
        assert sample.mask.shape == sample.depth.shape
    wide, narrow = (
        float(np.abs(sample.bokeh - sample.image).mean()) for sample in by_truth["exact"]
    )
    assert wide > narrow > 0
    assert by_truth["estimated"][0].row["licence"] == "CC-BY-4.0"
    assert by_truth["exact"][0].row["licence"] == "CC0-1.0"
    manifest = json.loads((tmp_path / "set/manifest.json").read_text())
    assert {each["origin"] for each in manifest["pictures"]} >= {"this test"}
    # also what `defocus train` reads
    assert {item.labels for item in find(tmp_path / "set" / "train")} == {
        frozenset({"mask", "depth"})
    }
    # and taken up again
    capsys.readouterr()
    assert main(words) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["done"], figures["kept"]) == (0, 2)


@pytest.mark.slow
def test_linear_float_keeps_lights_above_white(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    words = ["dataset", "--scenes", "1", "--out", "set", "--focus", "subject", "--linear", *SMALL]
    assert main([*words, "--test-share", "1"]) == 0
    sample = BokehDataset(tmp_path / "set", "test")[0]
    assert sample.image.max() > 1
    assert from_linear(sample.mask, np.uint8).max() == 255
    assert sample.row["focus_on"] == "subject"
    # `defocus train` sees it as a photo: in sRGB, lights cut off at white
    assert main(["train", "check", "set"]) == 0
    assert "no faults" in capfd.readouterr().out
    (item,) = find(tmp_path / "set" / "test")
    seen = item.read()
    assert np.array_equal(seen.rgb, from_linear(np.clip(sample.image, 0, 1), np.uint8))
    assert np.array_equal(seen.mask, (sample.mask * 255).round())
    assert np.allclose(seen.disparity, sample.depth, atol=1e-6)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "no SOURCE given"),
        (["w"], "w/a.png: its licence is not known"),
        (["w", "--licence", "CC0-1.0"], "its origin is not known"),
        (["w", "--about", "about.toml"], "its origin is not known"),
        (["--scenes", "1", "--f-numbers", "0"], "f-numbers from 0.5 to 64"),
        (["--scenes", "1", "--shapes", "heart"], "--shapes heart: there are round"),
        (["--scenes", "1", "--focus", "1.5"], "focus must be 0 to 1"),
        (["--scenes", "1", "--focus", "here"], "here"),
        (["--scenes", "1", "--test-share", "2"], "not a share"),
    ],
)
def test_refused_before_any_work(photo, tmp_path, capsys, words, complaint):
    (tmp_path / "about.toml").write_text('[[photos]]\nmatch = "*.png"\nlicence = "CC0-1.0"')
    with pytest.raises(SystemExit) as ended:
        main(["dataset", *words, "--out", "set"])
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


def test_variations_are_told_apart():
    every = variations((1.4, 2.0), ("subject", "0.1", "0.4:0.3"), ("round", "ring"))
    assert len({each.name for each in every}) == len(every) == 12
    point = next(each for each in every if ":" in each.focus)
    assert point.lens(1000).focus_point == (0.4, 0.3)


def test_a_split_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"metadata\.jsonl: No such file"):
        BokehDataset(tmp_path)
