"""The learning curves score what the task trains, on every test picture once."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest
import torch

from bokeh_core.networks.shared import SharedPortraitNet
from bokeh_core.networks.unet import UNet, UNetConfig
from bokeh_core.training import layouts, loop, objectives
from bokeh_core.training.feed import Feed
from bokeh_core.training.recipe import Recipe
from bokeh_core.training.validation import validator

MATTE, DISPARITY = {"iou", "accuracy", "boundary"}, {"rank"}
BASE = Recipe(task="portrait", loss="l1", steps=1, batch=4, sizes=((0.0, 64),))


def state_of(recipe):
    torch.manual_seed(0)
    joint = recipe.task == "joint"
    network = SharedPortraitNet() if joint else UNet(UNetConfig("plain", batch_norm=True, width=4))
    return loop.create(network, recipe)


def scored(items, recipe, state):
    with closing(Feed(items, batch=recipe.batch, seed=1, plain=True)) as feed:
        return validator(feed, recipe, objectives.find(recipe))(state)


@pytest.mark.parametrize(
    ("task", "names"),
    [("portrait", MATTE), ("depth", DISPARITY), ("joint", MATTE | DISPARITY)],
)
def test_a_task_is_scored_by_what_it_trains(portraits, task, names):
    recipe = replace(BASE, task=task, loss="default" if task == "joint" else "l1")
    found = scored(layouts.find(portraits)[:3], recipe, state_of(recipe))
    assert set(found) == {"loss", *names}


@pytest.mark.parametrize("task", ["portrait", "depth"])
def test_every_picture_counts_once_whatever_the_batch(portraits, task):
    recipe = replace(BASE, task=task)
    state, items = state_of(recipe), layouts.find(portraits)[:5]
    one_by_one = scored(items, replace(recipe, batch=1), state)
    for batch in (2, 4, 8):
        found = scored(items, replace(recipe, batch=batch), state)
        assert found == pytest.approx(one_by_one, abs=1e-6)


def test_the_running_mean_is_scored_and_what_is_trained_stays_as_it_is(portraits):
    state, items = state_of(BASE), layouts.find(portraits)[:3]
    before = scored(items, BASE, state)
    with torch.no_grad():
        for value in state.network.parameters():
            value.add_(torch.randn_like(value))
    own = {name: value.clone() for name, value in state.network.state_dict().items()}
    mean = {name: value.clone() for name, value in state.averaged.items()}
    assert scored(items, BASE, state) == before
    assert all(torch.equal(value, own[name]) for name, value in state.network.state_dict().items())
    assert all(torch.equal(value, mean[name]) for name, value in state.averaged.items())
    assert state.network.training
    state.averaged = own
    assert scored(items, BASE, state) != before
