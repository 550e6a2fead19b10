"""A settings file says all that a run was begun with, and begins the same run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bokeh_core.errors import InputError
from bokeh_core.networks.unet import UNetConfig
from bokeh_core.training import runs, settings
from bokeh_core.training.identity import Run
from bokeh_core.training.recipe import PAPER, Recipe
from bokeh_core.training.run_folder import SETTINGS

BASE = Run(Path("folder"), Path("/data"), PAPER, UNetConfig())
OTHER = replace(
    BASE,
    folders=("a", "b/c"),
    limit=7,
    split="published",
    unknown=frozenset({"a/1", 'b/"2"\u00e9'}),
    memory=1.5,
    workers=3,
    tensorboard=True,
    recipe=replace(PAPER, weights=(("a", 2),), sizes=((0.0, 64), (0.5, 96)), augmented=False),
    network=UNetConfig("plain", batch_norm=True, width=4),
)


@pytest.mark.parametrize("plan", [BASE, OTHER], ids=["usual", "other"])
def test_what_was_written_is_read(tmp_path, plan):
    settings.write(plan, tmp_path / "run.toml")
    assert settings.read(tmp_path / "run.toml", BASE) == plan


def test_a_joint_run_has_no_family(tmp_path):
    joint = Run(Path("folder"), Path("/data"), Recipe())
    settings.write(joint, tmp_path / "run.toml")
    assert "[network]" not in (tmp_path / "run.toml").read_text()
    assert settings.read(tmp_path / "run.toml", joint) == joint


def test_what_a_file_leaves_out_stays_as_it_is(tmp_path):
    (tmp_path / "few.toml").write_text("[recipe]\nrate = 1\n")
    found = settings.read(tmp_path / "few.toml", OTHER)
    assert found == replace(OTHER, recipe=replace(OTHER.recipe, rate=1))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[recipe]\nrates = 1\n", "no setting rates; there are: task, loss"),
        ('[recipe]\nrate = "high"\n', "rate is 'high', which is no number"),
        ("[recipe]\nbatch = true\n", "batch is True, which is no whole number"),
        ('[recipe]\noptimiser = "adam"\n', "optimiser is 'adam'; it can be adamw, sgd"),
        ("[network]\nwidth = 1.5\n", "width is 1.5, which is no whole number"),
        ("folder = 'x'\n", "no setting folder"),
        ("recipe = 3\n", "recipe must be a table"),
        ("folders = 'a'\n", "folders is 'a', which is no list"),
        ("[recipe\n", "cannot read the settings"),
        ("[recipe]\nbatch = 0\n", "batch must be at least 1"),
    ],
)
def test_what_is_no_setting_is_refused_by_name(tmp_path, text, complaint):
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(InputError, match=complaint):
        settings.read(tmp_path / "wrong.toml", BASE)


def test_a_run_leaves_the_settings_from_which_it_goes_on(tmp_path, portraits):
    recipe = replace(PAPER, steps=1, batch=2, sizes=((0.0, 64),))
    plan = Run(tmp_path / "run", portraits, recipe, UNetConfig("plain", width=4), device="cpu")
    runs.train(plan, print)
    found = settings.read(plan.folder / SETTINGS, replace(BASE, folder=plan.folder))
    assert found == plan
    longer = replace(found, recipe=replace(recipe, steps=2))
    assert runs.train(longer, print).step == 2
