"""`defocus train`, `ablate`, `evaluate` and `models` as a user runs them."""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import safetensors.torch
import torch

from bokeh_core.networks import registry, shipped
from bokeh_core.training.recipe import FURTHER, PAPER, Recipe
from daemon.cli import ablate, train
from daemon.cli.main import main


@pytest.fixture
def data(tmp_path):
    """Thirty drawn pictures in the portraits layout."""
    folder = tmp_path / "data" / "drawn"
    folder.mkdir(parents=True)
    for index in range(30):
        mask = np.zeros((96, 72), np.uint8)
        cv2.ellipse(mask, (30 + index % 10, 48), (14, 26), 0, 0, 360, 255, -1)
        rgb = np.dstack([np.where(mask > 0, 200, 40)] * 3).astype(np.uint8)
        for suffix, plane in ((".jpg", rgb), ("_mask.png", mask), ("_depth.png", mask // 2 + 60)):
            cv2.imwrite(str(folder / f"{index:03d}{suffix}"), plane)
    return tmp_path / "data"


def test_train_writes_weights_and_curves_and_goes_on(data, tmp_path, capsys):
    folder = tmp_path / "run"
    words = ["train", "portrait", "--data", str(data), "--run", str(folder), "--batch", "4"]
    words += ["--encoder", "plain", "--width", "4", "--size", "64", "--device", "cpu"]
    assert main([*words, "--steps", "2"]) == 0
    assert (folder / "weights.safetensors").exists()
    assert (folder / "curves.csv").read_text().startswith("step,seconds,size,rate,loss")
    capsys.readouterr()
    assert main([*words, "--steps", "3"]) == 0
    assert "resumed at step 2" in capsys.readouterr().out
    told = (folder / "run.toml").read_text()
    assert main([*words, "--steps", "1"]) == 0
    assert "more steps than the 1 asked for" in capsys.readouterr().out
    assert (folder / "run.toml").read_text() == told


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--loss", "hinge"], "there are: bce"),
        (["--batch", "0"], "'0' is not a whole number from 1"),
        (["--rate", "0"], "rate must be greater than 0"),
        (["--steps", "0"], "steps, epochs and minutes"),
        (["--size", "100"], "multiples of 32"),
        (["--epochs", "nan"], "epochs must be a finite number"),
        (["--steps", "-1"], "steps must be a finite number"),
        (["--size", "64,96"], "this training has one size, got 2"),
        (["--unknown", "nowhere"], "cannot read the list nowhere"),
        (["--export", "portrait"], "is the name of a model that defocus knows"),
    ],
)
def test_a_wrong_option_is_one_line_and_wrong_use(data, tmp_path, capsys, words, complaint):
    with pytest.raises(SystemExit, match="2"):
        main(a_training(data, tmp_path, *words))
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--data", "nowhere"], "does not exist"),
        (["--run", __file__], "is there already and is no folder"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_code_1(data, tmp_path, capsys, words, complaint):
    assert main(a_training(data, tmp_path, *words)) == 1
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1


def a_training(data, folder, *words):
    """Return the words of a short training, changed by others."""
    options = ["--data", str(data), "--run", str(folder / "run"), "--steps", "1"]
    return ["train", "portrait", "--encoder", "plain", *options, *words]


@pytest.mark.parametrize(
    ("words", "recipe"),
    [
        ([], Recipe()),
        (["--init", "portrait", "--minutes", "30"], replace(FURTHER, minutes=30.0)),
        (["--precision", "bf16"], replace(Recipe(), precision="bf16")),
    ],
)
def test_going_on_from_weights_has_a_recipe_of_its_own(words, recipe):
    parser = argparse.ArgumentParser()
    train.configure(parser)
    plan = train.plan_of(parser.parse_args(["joint", "--data", "somewhere", *words]))
    assert plan.recipe == recipe
    assert plan.init == ("portrait" if "--init" in words else "")


def recipe_of(command, *words):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.plan_of(parser.parse_args([*words, "--data", "somewhere"])).recipe


@pytest.mark.parametrize("task", ["portrait", "depth"])
def test_each_optimiser_of_the_family_has_rates_of_its_own(task):
    assert recipe_of(train, task) == recipe_of(train, task, "--optimiser", "sgd")
    assert recipe_of(train, task) == replace(PAPER, task=task)
    adamw = recipe_of(train, task, "--optimiser", "adamw")
    assert adamw.schedule == "cosine"
    assert max(adamw.rate, adamw.encoder_rate) <= 0.01
    for optimiser in ("sgd", "adamw"):
        trained = recipe_of(train, task, "--optimiser", optimiser, "--steps", "9")
        assert recipe_of(ablate, task, "--optimiser", optimiser, "--steps", "9") == trained
    own = recipe_of(train, task, "--optimiser", "adamw", "--rate", "0.02", "--schedule", "plateau")
    assert (own.rate, own.encoder_rate, own.schedule) == (0.02, 0.02, "plateau")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["train", "portrait", "--limit", "-3"], "--limit: '-3' is not a whole number from 0"),
        (["train", "portrait", "--width", "0"], "--width: '0' is not a whole number from 1"),
        (["train", "portrait", "--width", "8"], "--width is only for --encoder plain"),
        (["train", "depth", "--encoder", "plain", "--pretrained"], "only for --encoder dense"),
        (["train", "joint", "--momentum", ".9"], "--momentum is only for --optimiser sgd"),
        (["train", "joint", "--factor", ".5"], "only for --schedule plateau"),
        (["train", "portrait", "--strict", "--broken", "3"], "give one of them"),
        (["train", "hair", "--no-augment"], "--no-augment has no effect on hair"),
        (["ablate", "depth", "--steps", "9", "--epochs", "2"], "not allowed with argument"),
        (["train", "joint", "--sobel", "--batch-norm"], "--batch-norm, --sobel: only for the U-N"),
        (["train", "joint", "--width", "8", "--pretrained"], "--width, --pretrained: only for"),
        (["train", "joint", "--licence", "MIT"], "--export writes"),
        (["train", "hair", "--size", "64"], "--size has no effect on hair"),
        (["train", "joint", "--export", "../x"], "--export: '../x' is not a name of small letters"),
        (["ablate", "depth", "--steps", "0"], "--steps: '0' is not a whole number from 1"),
        (["ablate", "depth", "--steps", "-1"], "--steps: '-1' is not a whole number from 1"),
        (["ablate", "depth", "--losses", "--pretrained"], "only for the rows with DenseNet"),
        (["ablate", "depth", "--pretrained", "--rows", "1,3"], "only for the rows with DenseNet"),
        (["ablate", "depth", "--losses", "--loss", "l2"], "it takes no --loss"),
        (["ablate", "depth", "--losses", "--study", "rates"], "one at a time"),
        (["ablate", "depth", "--study", "rates", "--rate", "1"], "it takes no --rate"),
        (["ablate", "depth", "--study", "batches", "--batch", "4"], "it takes no --batch"),
        (["ablate", "depth", "--name", "/tmp/x"], "--name: '/tmp/x' is not a name of"),
        (["ablate", "depth", "--seed", "-1"], "--seed: '-1' is not a whole number from 0"),
        (["ablate", "depth", "--test-limit", "-1"], "--test-limit: '-1' is not a whole number"),
    ],
)
def test_options_that_mean_nothing_are_refused_before_the_training(
    data, tmp_path, capsys, words, complaint
):
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--data", str(data), "--run", str(tmp_path / "run")])
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.fixture
def trained(data, tmp_path, own_models):
    """A run of one step for each task of the family."""
    for task in ("portrait", "depth"):
        words = ["train", task, "--data", str(data), "--run", str(tmp_path / task), "--steps", "1"]
        words += ["--encoder", "plain", "--width", "4", "--size", "64", "--device", "cpu"]
        assert main([*words, "--sobel", "--export", f"my-{task}", "--licence", "CC0"]) == 0
    return tmp_path


def test_a_trained_family_is_exported_scored_and_used_on_a_photo(data, trained, capsys):
    capsys.readouterr()
    for task in ("portrait", "depth"):
        words = ["evaluate", task, "--data", str(data), "--all", "--limit", "1", "--model"]
        assert main([*words, str(trained / task / "weights.safetensors")]) == 0
        table = capsys.readouterr().out
        assert main([*words, f"my-{task}"]) == 0
        assert capsys.readouterr().out == table
    photo = str(data / "drawn" / "000.jpg")
    results = []
    for models in (
        [],
        ["--matte-model", "my-portrait", "--depth-model", "my-depth"],
        [
            *("--matte-model", str(trained / "portrait" / "weights.safetensors")),
            *("--depth-model", str(trained / "depth" / "weights.safetensors")),
        ],
    ):
        out = trained / f"out{len(results)}"
        words = [photo, "--out", f"{out}/", "--save", "mask,depth,composite", "--no-daemon"]
        assert main([*words, "--quiet", *models]) == 0
        results.append({path.stem: cv2.imread(str(path)) for path in out.iterdir()})
    usual, named, opened = results
    assert all(np.array_equal(named[name], opened[name]) for name in usual)
    assert not np.array_equal(named["000_depth"], usual["000_depth"])


def test_own_models_are_listed_chosen_and_removed(trained, tmp_path, capsys):
    assert main(["models", "use", "my-portrait"]) == 0
    capsys.readouterr()
    assert main(["models", "list"]) == 0
    listed = capsys.readouterr().out
    assert "CC0  own" in listed
    assert "matte by my-portrait, depth by portrait" in listed
    assert main(["models", "verify"]) == 0
    assert "my-portrait: your own, whole" in capsys.readouterr().out
    assert main(["models", "add", str(tmp_path / "depth" / "weights.safetensors")]) == 0
    assert main(["models", "add", str(tmp_path / "depth" / "weights.safetensors")]) == 1
    assert "is there already" in capsys.readouterr().err
    assert main(["models", "remove", "my-portrait"]) == 0
    assert "portrait is used for matte again" in capsys.readouterr().out
    assert main(["models", "remove", "portrait"]) == 1
    assert "not among your own" in capsys.readouterr().err
    assert main(["models", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows["own"]] == ["my-depth", "weights"]
    assert rows["used"]["matte"] == "portrait"


@pytest.mark.parametrize("name", ["portrait", "my-portrait"])
def test_a_name_that_is_taken_is_refused_before_the_training(data, trained, name, capsys):
    words = ["train", "depth", "--data", str(data), "--run", str(trained / "new"), "--export", name]
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert name in capsys.readouterr().err
    assert not (trained / "new").exists()


def test_a_weights_file_is_not_for_the_daemon(data, trained, capsys):
    words = ["photo", str(data / "drawn" / "000.jpg"), "--daemon", "--matte-model"]
    assert main([*words, str(trained / "portrait" / "weights.safetensors")]) == 1
    assert "models add" in capsys.readouterr().err


def test_a_depth_model_is_not_scored_as_a_matte(data, capsys):
    words = ["evaluate", "portrait", "--data", str(data), "--model", "depth-anything-v2-small"]
    assert main(words) != 0
    assert "gives depth, no mattes" in capsys.readouterr().err


def test_an_evaluation_that_fails_keeps_the_pictures_of_the_one_before(data, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "worst-07-drawn-999.jpg").touch()
    words = ["evaluate", "portrait", "--data", str(data), "--all", "--limit", "1"]
    words += ["--out", str(out), "--model"]
    for wrong in ("depth-anything-v2-small", "nonesuch", str(tmp_path / "none.safetensors")):
        assert main([*words, wrong]) != 0
        assert [path.name for path in out.iterdir()] == ["worst-07-drawn-999.jpg"]
    assert main([*words, registry.DEFAULT]) == 0
    assert [path.name[:9] for path in out.glob("worst-*.jpg")] == ["worst-01-"]


def test_a_refinement_of_depth_is_refused(data, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", "depth", "--data", str(data), "--refine", "none"])
    assert "--refine is for mattes" in capsys.readouterr().err


def test_evaluate_prints_a_table_and_writes_the_worst(data, tmp_path, capsys):
    out = tmp_path / "out"
    words = [
        "evaluate",
        "portrait",
        "--data",
        str(data),
        "--all",
        "--limit",
        "3",
        "--out",
        str(out),
    ]
    assert main(words) == 0
    table = capsys.readouterr().out
    assert "| folder | pictures | iou | worst 5 % |" in table
    assert "| drawn | 3 |" in table
    assert len(list(out.glob("worst-*.jpg"))) == 3
    assert len((out / "scores.csv").read_text().splitlines()) == 4
    assert main(["evaluate", "depth", "--data", str(data), "--all", "--limit", "2"]) == 0
    assert "subject_pairs" in capsys.readouterr().out


def test_evaluate_takes_the_weights_of_a_run(data, tmp_path, capsys):
    words = ["evaluate", "portrait", "--data", str(data), "--all", "--limit", "2", "--model"]
    assert main([*words, registry.DEFAULT]) == 0
    table = capsys.readouterr().out
    file = tmp_path / "weights.safetensors"
    shutil.copy(registry.WEIGHTS / registry.find(registry.DEFAULT).file, file)
    assert main([*words, str(file)]) == 0
    assert capsys.readouterr().out == table
    safetensors.torch.save_file({"encoder.levels.0.0.weight": torch.zeros(4, 3, 3, 3)}, file)
    (tmp_path / "other.safetensors").write_bytes(b"no weights")
    for name, complaint in (
        ("weights", "does not fit"),
        ("other", "is not a safetensors file"),
        ("absent", "No such file"),
    ):
        assert main([*words, str(tmp_path / f"{name}.safetensors")]) == 1
        error = capsys.readouterr().err
        assert f"{name}.safetensors" in error
        assert complaint in error
        assert error.count("\n") == 1
        assert len(error) < 400


def test_a_limit_below_zero_is_refused(data, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", "portrait", "--data", str(data), "--limit", "-3"])
    assert "from 0" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("task", ["portrait", "depth"])
def test_ablate_writes_one_report_of_all_variants(data, tmp_path, capsys, task):
    out = tmp_path / "out"
    words = [
        "ablate",
        task,
        "--data",
        str(data),
        "--limit",
        "4",
        "--test-limit",
        "2",
        "--steps",
        "1",
    ]
    words += ["--size", "64", "--batch", "2", "--width", "4", "--device", "cpu"]
    words += ["--run", str(tmp_path / "run"), "--out", str(out)]
    assert main(words) == 0
    report = (out / f"ablation-{task}-sgd.md").read_text()
    for row in (
        "U-Net",
        "DenseNet-121 encoder",
        "batch norm",
        "learnt upsampling",
        "post-processing",
        "no skip connections",
        "U-Net, edges",
    ):
        assert row in report
    assert "4 pictures to train on, " in report
    assert "2 held out for the scores" in report
    assert str(tmp_path) not in report
    sheet = cv2.imread(str(out / f"ablation-{task}-sgd.jpg"))
    assert sheet.shape == (256, 8 * 256, 3)
    assert "The same over 2 pictures that were learnt" in report


@pytest.mark.parametrize(("task", "count"), [("portrait", 7), ("depth", 8)])
def test_ablate_losses_trains_one_network_under_every_loss(data, tmp_path, task, count):
    words = ["ablate", task, "--losses", "--optimiser", "adamw", "--data", str(data)]
    words += ["--limit", "2", "--test-limit", "1", "--steps", "1", "--size", "64", "--batch", "1"]
    words += ["--width", "2", "--device", "cpu"]
    words += ["--run", str(tmp_path / "run"), "--out", str(tmp_path)]
    assert main(words) == 0
    report = (tmp_path / f"ablation-{task}-losses-adamw.md").read_text()
    assert "--losses --optimiser adamw" in report
    assert "loss l1" not in report
    table = report[: report.index("Confusion")]
    assert sum(line.startswith("| ") for line in table.splitlines()) == count + 1
    assert "| ssim |" in table
    assert ("after scale and shift" in report) == (task == "depth")


def test_ablate_can_train_some_rows_only(data, tmp_path, capsys):
    words = ["ablate", "portrait", "--data", str(data), "--limit", "2", "--test-limit", "1"]
    words += ["--steps", "1", "--size", "64", "--batch", "1", "--width", "2", "--device", "cpu"]
    words += ["--run", str(tmp_path / "run"), "--out", str(tmp_path)]
    assert main([*words, "--rows", "1,3"]) == 0
    report = (tmp_path / "ablation-portrait-sgd.md").read_text()
    assert "--rows 1,3" in report
    assert "DenseNet-121 encoder" not in report[report.index("| variant") :]
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--rows", "8"])
    assert "rows from 1 to 7" in capsys.readouterr().err


@pytest.mark.parametrize(("study", "rows"), [("batches", "1,2"), ("rates", "1,5")])
def test_a_study_changes_one_setting(data, tmp_path, study, rows):
    words = ["ablate", "portrait", "--data", str(data), "--limit", "2", "--test-limit", "1"]
    words += ["--steps", "1", "--size", "64", "--width", "2", "--device", "cpu"]
    words += ["--run", str(tmp_path / "run"), "--out", str(tmp_path)]
    assert main([*words, "--study", study, "--rows", rows]) == 0
    report = (tmp_path / f"ablation-portrait-{study}-sgd.md").read_text()
    names = {"batches": ("batch 2", "batch 4"), "rates": ("rate 0.1", "rate 0.001")}[study]
    assert all(f"| {name} | - | - |" in report for name in names)
    assert f"--study {study}" in report
    assert "Network: U-Net with batch norm" in report


def test_ablations_of_two_seeds_stand_side_by_side(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["ablate", "portrait", "--data", str(data), "--limit", "2", "--test-limit", "1"]
    words += ["--steps", "1", "--size", "64", "--batch", "1", "--width", "2", "--device", "cpu"]
    words += ["--rows", "3", "--optimiser", "adamw"]
    assert main(words) == 0
    assert main([*words, "--seed", "2", "--name", "second"]) == 0
    first = (tmp_path / "ablation-portrait-adamw.md").read_text()
    second = (tmp_path / "second.md").read_text()
    assert "seed 1" in first
    assert "seed 2" in second
    assert "--seed 2 --name second`" in second
    assert (tmp_path / "second.jpg").exists()
    weights = [path.read_bytes() for path in tmp_path.glob("runs/*/*/weights.safetensors")]
    assert len(set(weights)) == 2


def test_a_folder_of_pictures_without_its_option_is_told(data, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["train", "portrait", str(data)])
    assert f"named by an option: --data {data}" in capsys.readouterr().err


def test_onnx_of_what_gives_no_maps_is_refused(tmp_path, capsys):
    for name in ("hair", "vitmatte-small"):
        assert main(["models", "onnx", name, "--out", str(tmp_path / "x.onnx")]) == 1
        error = capsys.readouterr().err
        assert name in error
        assert "restore" not in error
        assert error.count("\n") == 1


def test_notes_are_not_replaced_by_a_model_card(tmp_path, capsys):
    (tmp_path / "x.md").write_text("my notes")
    assert main(["models", "onnx", "portrait", "--out", str(tmp_path / "x.onnx")]) == 1
    assert "x.md is there and is no model card" in capsys.readouterr().err
    assert (tmp_path / "x.md").read_text() == "my notes"
    assert not (tmp_path / "x.onnx").exists()


def test_models_verify_and_list(capsys):
    assert main(["models", "verify"]) == 0
    assert "portrait: as shipped (SHA-256 " in capsys.readouterr().out
    assert main(["models", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in listed["embedded"]} == set(shipped.index())


def test_models_verify_names_a_damaged_file(monkeypatch, tmp_path, capsys):
    record = registry.find(registry.DEFAULT)
    monkeypatch.setattr(registry, "load_tensors", lambda found: registry.verify(found, tmp_path))
    (tmp_path / record.file).write_bytes(b"damaged")
    assert main(["models", "verify"]) == 1
    printed = capsys.readouterr().out
    assert "portrait: CHANGED or gone" in printed
    assert record.file in printed


def test_a_download_that_nobody_can_agree_to_says_how(capsys, monkeypatch):
    def nobody(_):
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    assert main(["models", "fetch", "vitmatte-small"]) == 1
    assert "--yes" in capsys.readouterr().err


def test_what_a_run_left_begins_another_and_options_beside_it_count(data, tmp_path, capsys):
    words = ["train", "portrait", "--encoder", "plain", "--width", "4", "--size", "64"]
    words += ["--batch", "4", "--device", "cpu", "--momentum", "0.9", "--steps", "1"]
    assert main([*words, "--data", str(data), "--run", str(tmp_path / "first")]) == 0
    settings = str(tmp_path / "first" / "run.toml")
    again = ["train", "portrait", "--config", settings, "--run", str(tmp_path / "second")]
    assert main([*again, "--rate", "0.05"]) == 0
    text = (tmp_path / "second" / "run.toml").read_text()
    assert "momentum = 0.9" in text
    assert "rate = 0.05" in text
    assert "width = 4" in text
    capsys.readouterr()
    with pytest.raises(SystemExit, match="2"):
        main(["train", "depth", "--config", settings])
    assert "is of a training of portrait" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["train", "portrait"])
    assert "--data is needed, or --config" in capsys.readouterr().err


def test_ablate_counts_in_epochs_too(data, tmp_path):
    words = ["ablate", "portrait", "--data", str(data), "--limit", "2", "--test-limit", "1"]
    words += ["--epochs", "2", "--size", "64", "--batch", "1", "--width", "2", "--device", "cpu"]
    words += ["--rows", "3", "--run", str(tmp_path / "run"), "--out", str(tmp_path)]
    assert main(words) == 0
    report = (tmp_path / "ablation-portrait-sgd.md").read_text()
    assert "--epochs 2" in report
    assert "2 epochs of 1 pictures" in report
    curves = next((tmp_path / "run").rglob("curves.csv")).read_text().splitlines()
    assert curves[-1].startswith("4,")
