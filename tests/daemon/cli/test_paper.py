"""`defocus paper`: the whole algorithm, with networks of the paper's family, picture by picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from bokeh_core.evaluation import paper_steps
from bokeh_core.networks import weights_file
from bokeh_core.networks.records import FAMILY, ModelRecord
from bokeh_core.networks.unet import UNet, UNetConfig
from daemon.cli.main import main

TINY = UNetConfig("plain", width=4, sobel=True)


@pytest.fixture
def photo(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (96, 72, 3), np.uint8)
    rgb[30:70, 20:50] //= 4
    cv2.imwrite(str(tmp_path / "me.png"), rgb)
    return tmp_path / "me.png"


def weights(folder, task):
    torch.manual_seed(len(task))
    record = ModelRecord(task, (task,), FAMILY, "", "", 0, 64, "", "", "", "", variant=TINY)
    weights_file.save(folder / f"{task}.safetensors", UNet(TINY).state_dict(), record)
    return str(folder / f"{task}.safetensors")


@pytest.mark.parametrize("strengths", ["ours", "notebook"])
def test_every_picture_of_the_algorithm_is_written(photo, tmp_path, strengths):
    words = ["paper", str(photo), "--strengths", strengths]
    words += ["--matte-model", weights(tmp_path, "portrait")]
    words += ["--depth-model", weights(tmp_path, "depth")]
    assert main(words) == 0
    out = tmp_path / "me_paper"
    numbered = sorted(path.name for path in out.glob("*.png"))
    assert [name[:2] for name in numbered] == [f"{n:02d}" for n in range(1, 17)]
    read = {name[3:-4]: cv2.imread(str(out / name)) for name in numbered}
    assert np.array_equal(read["photo"], cv2.imread(str(photo)))
    assert set(np.unique(read["mask"])) <= {0, 255}
    assert len(np.unique(read["bins"])) <= 5
    spread = [float(read[f"blur-{n}"].std()) for n in range(1, 6)]
    assert spread == sorted(spread, reverse=True)
    assert (out / "all.jpg").exists()
    figure = cv2.imread(str(out / "border-step.jpg"))
    assert figure.shape[0] == 262
    # the background is each bin's own blur
    bins = np.unique(read["bins"])[::-1]
    for index, grey in enumerate(bins):
        if len(bins) == 5:
            inside = read["bins"] == grey
            assert np.array_equal(read["background"][inside], read[f"blur-{index + 1}"][inside])


def test_a_photo_named_as_one_of_the_pictures_stays(photo, tmp_path, capsys):
    named = photo.rename(tmp_path / "all.jpg")
    words = ["paper", str(named), "--out", str(tmp_path)]
    words += ["--matte-model", weights(tmp_path, "portrait")]
    words += ["--depth-model", weights(tmp_path, "depth")]
    before = named.read_bytes()
    assert main(words) == 1
    assert "all.jpg: is an input and is never overwritten" in capsys.readouterr().err
    assert named.read_bytes() == before


def test_the_sheet_shows_all_that_the_papers_figure_does():
    steps = [paper_steps.Step(name, np.zeros((8, 6), np.uint8)) for name in paper_steps.FIGURE]
    assert paper_steps.sheet(steps, height=40).shape == (62, 6 * 30, 3)
    assert paper_steps.sheet([*steps, *steps], height=40).shape == (124, 8 * 30, 3)


def test_a_sheet_of_maps_that_are_wider_than_the_photo():
    """The network sees sides that are multiples of 32: its maps are not quite of one shape."""
    photos = [paper_steps.Step("photo", np.zeros((8, 6), np.uint8))] * paper_steps.ACROSS
    wider = [paper_steps.Step("matte", np.zeros((8, 7), np.uint8))] * paper_steps.ACROSS
    assert paper_steps.sheet([*photos, *wider], height=40).shape == (124, 8 * 35, 3)


def test_a_model_of_the_other_task_is_refused(photo, tmp_path, capsys):
    words = ["paper", str(photo), "--matte-model", weights(tmp_path, "depth")]
    assert main(words) == 1
    assert "depth.safetensors gives depth, no mattes" in capsys.readouterr().err
