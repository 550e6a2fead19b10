"""Pictures of any program are scored by the names of their photos."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bokeh_core.errors import InputError
from bokeh_core.evaluation import depth_metrics, folder_scores, matte_metrics
from daemon.cli.main import main


@pytest.fixture
def planes():
    rng = np.random.default_rng(0)
    made = {}
    for name in ("a", "b"):
        truth = np.zeros((40, 30), np.float32)
        truth[10:30, 8:22] = 1
        made[name] = (np.clip(truth + 0.2 * rng.standard_normal(truth.shape), 0, 1), truth)
    return made


def write(folder, ending, plane, dtype=np.uint16):
    folder.mkdir(exist_ok=True)
    codes = (plane * np.iinfo(dtype).max).round().astype(dtype)
    assert cv2.imwrite(str(folder / ending), codes)


@pytest.mark.parametrize(
    ("found", "wanted"), [("{}.png", "{}_mask.png"), ("{}_matte.png", "{}.png")]
)
def test_mattes_are_paired_and_scored(tmp_path, planes, found, wanted):
    for name, (prediction, truth) in planes.items():
        write(tmp_path / "p", found.format(name), prediction)
        write(tmp_path / "t", wanted.format(name), truth, np.uint8)
    items = folder_scores.pairs(tmp_path / "p", tmp_path / "t", "portrait")
    assert [item.key for item in items] == ["t/a", "t/b"]
    for item, score in folder_scores.rate_mattes(items, lambda _: None):
        prediction, truth = planes[item.name]
        wanted_score = matte_metrics.score(np.asarray(prediction, np.float32), truth)
        assert score.iou == pytest.approx(wanted_score.iou)
        assert score.mse == pytest.approx(wanted_score.mse, abs=1e-5)


def test_depths_of_another_size_are_brought_to_that_of_the_truth(tmp_path):
    truth = np.repeat(np.linspace(0, 1, 80, dtype=np.float32)[:, None], 60, 1)
    write(tmp_path / "t", "x_depth.png", truth)
    write(tmp_path / "p", "x.png", cv2.resize(truth, (120, 160)))
    items = folder_scores.pairs(tmp_path / "p", tmp_path / "t", "depth")
    ((_, score),) = folder_scores.rate_depths(items, lambda _: None)
    assert score.rank > 0.999
    assert score.delta1 == 1


def test_what_cannot_be_paired_or_read_is_named(tmp_path, planes):
    for name, (prediction, truth) in planes.items():
        write(tmp_path / "t", f"{name}_mask.png", truth)
        if name == "a":
            write(tmp_path / "p", f"{name}.png", prediction)
    with pytest.raises(InputError, match=r"has nothing for b \(1 of 2 truths"):
        folder_scores.pairs(tmp_path / "p", tmp_path / "t", "portrait")
    with pytest.raises(InputError, match="is no folder"):
        folder_scores.pairs(tmp_path / "none", tmp_path / "t", "portrait")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="has no pictures"):
        folder_scores.pairs(tmp_path / "empty", tmp_path / "t", "portrait")
    (tmp_path / "p" / "b.png").write_bytes(b"no picture")
    items = folder_scores.pairs(tmp_path / "p", tmp_path / "t", "portrait")
    with pytest.raises(InputError, match=r"b\.png: is no picture"):
        folder_scores.rate_mattes(items, lambda _: None)
    write(tmp_path / "p", "b.png", np.zeros((40, 40), np.float32))
    with pytest.raises(InputError, match="40 x 40 has not the proportions"):
        folder_scores.rate_mattes(items, lambda _: None)


@pytest.mark.parametrize("task", ["portrait", "depth"])
def test_what_evaluate_saves_is_scored_as_evaluate_has_scored_it(tmp_path, capsys, task):
    data = tmp_path / "data" / "drawn"
    data.mkdir(parents=True)
    for index in range(2):
        mask = np.zeros((96, 72), np.uint8)
        cv2.ellipse(mask, (30 + index, 48), (14, 26), 0, 0, 360, 255, -1)
        rgb = np.dstack([np.where(mask > 0, 200, 40)] * 3).astype(np.uint8)
        cv2.imwrite(str(data / f"{index}.jpg"), rgb)
        cv2.imwrite(str(data / f"{index}_mask.png"), mask)
        cv2.imwrite(str(data / f"{index}_depth.png"), mask // 2 + 60)
    out = tmp_path / "found"
    words = ["evaluate", task, "--data", str(data.parent), "--all", "--save-predictions", str(out)]
    assert main(words) == 0
    table = capsys.readouterr().out.splitlines()
    truth = tmp_path / "drawn"
    truth.mkdir()
    ending = "mask" if task == "portrait" else "depth"
    for path in data.glob(f"*_{ending}.png"):
        path.rename(truth / path.name)
    words = ["evaluate", task, "--predictions", str(out / "drawn"), "--truth", str(truth)]
    assert main(words) == 0
    again = capsys.readouterr().out.splitlines()
    numbers = [[cell.strip() for cell in row.split("|")[2:]] for row in (table[2], again[2])]
    compared = 0
    for one, other in zip(*numbers, strict=True):
        if one in ("-", "") or other in ("-", ""):
            continue
        assert float(one) == pytest.approx(float(other), abs=0.02)
        compared += 1
    assert compared >= 5


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["portrait"], "--data is needed"),
        (["portrait", "--predictions", "p"], "go together"),
        (["small", "--predictions", "p", "--truth", "t"], "for portrait and depth"),
        (["depth", "--predictions", "p", "--truth", "t", "--all"], "--all has no effect"),
        (["depth", "--predictions", "p", "--truth", "t", "--model", "x"], "--model has no effect"),
    ],
)
def test_options_that_mean_nothing_are_refused(words, complaint, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", *words])
    assert complaint in capsys.readouterr().err


def test_small_maps_are_scored_whole_and_large_ones_on_as_many_pixels_each_time():
    rng = np.random.default_rng(0)
    label, found = rng.random((2, 100, 100)).astype(np.float32)
    exact = depth_metrics.rank_correlation(found.ravel().astype(float), label.ravel().astype(float))
    assert depth_metrics.score(found, label).rank == pytest.approx(exact, abs=1e-9)
    large = rng.random((2, 300, 300)).astype(np.float32)
    assert depth_metrics.score(*large).rank == depth_metrics.score(*large).rank
