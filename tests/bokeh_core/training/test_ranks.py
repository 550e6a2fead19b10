"""Several processes, started by torchrun, train what one would."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import safetensors.torch
import torch

from bokeh_core.training.ranks import ALONE, joined
from bokeh_core.training.run_folder import CHECKPOINT, WEIGHTS

TRAIN = ["-m", "daemon.cli.main", "train", "portrait", "--encoder", "plain", "--width", "4"]
TRAIN += ["--size", "64", "--batch", "4", "--no-augment", "--rate", "0.01", "--device", "cpu"]
TRAIN += ["--precision", "fp32"]


def test_who_is_alone_keeps_its_values():
    with joined("cpu") as (ranks, device):
        assert (ranks, device) == (ALONE, "cpu")
        assert ranks.told(3) == 3
        assert ranks.mean({"a": 2.0}) == {"a": 2.0}
        assert ranks.any(True)
        assert not ranks.any(False)


def train(folder, data, steps, processes):
    words = [*TRAIN, "--data", str(data), "--run", str(folder), "--steps", str(steps)]
    command = [sys.executable, *words]
    if processes > 1:  # as torchrun does
        start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--no-python"]
        command = [*start, "--nproc-per-node", str(processes), "--", *command]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr  # whole: the cause stands before torchrun's words
    return done.stdout


@pytest.mark.slow
def test_two_processes_train_what_one_does_and_go_on_to_the_last_bit(tmp_path, portraits):
    said = train(tmp_path / "two", portraits, 4, 2)
    assert said.count("2 processes") == 1  # one of them speaks
    train(tmp_path / "one", portraits, 4, 1)
    ours, theirs = (
        safetensors.torch.load_file(tmp_path / name / WEIGHTS) for name in ("two", "one")
    )
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, atol=1e-3, rtol=1e-2)
    train(tmp_path / "halves", portraits, 2, 2)
    assert "resumed at step 2" in train(tmp_path / "halves", portraits, 4, 2)
    whole, halves = (
        torch.load(tmp_path / name / CHECKPOINT, weights_only=True) for name in ("two", "halves")
    )
    assert all(torch.equal(v, halves["network"][k]) for k, v in whole["network"].items())
