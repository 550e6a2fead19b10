"""A variant's scores are those of the pictures whose truth is known."""

from __future__ import annotations

import threading
from dataclasses import astuple, replace

import pytest
import torch

from bokeh_core.errors import InputError
from bokeh_core.networks.unet import UNet, UNetConfig
from bokeh_core.training import ablation, layouts
from bokeh_core.training.identity import Run
from bokeh_core.training.recipe import PAPER

DEPTH = replace(PAPER, task="depth")
VARIANT = ablation.Variant("tiny", UNetConfig("plain", width=2), None)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return UNet(VARIANT.network)


def plan(data, task):
    recipe = replace(PAPER, task=task, batch=2, sizes=((0.0, 64),))
    return Run(data / "run", data, recipe)


def label(item, task):
    return item.mask if task == "portrait" else item.depth


@pytest.mark.parametrize("task", ["portrait", "depth"])
def test_a_test_picture_without_the_label_does_not_count(portraits, network, task):
    unlabelled, *others = (item for item in layouts.find(portraits) if item.held_out)
    label(unlabelled, task).unlink()
    with_it = ablation.score(network, plan(portraits, task), VARIANT, 0.0)
    unlabelled.photo.unlink()
    without = ablation.score(network, plan(portraits, task), VARIANT, 0.0)
    assert with_it.loss == pytest.approx(without.loss, abs=1e-6)
    assert with_it.rank == pytest.approx(without.rank, abs=1e-6)
    assert sum(map(sum, astuple(without)[-1])) == pytest.approx(1)
    for item in others:
        label(item, task).unlink()
    with pytest.raises(InputError, match="no picture of the test part has a"):
        ablation.score(network, plan(portraits, task), VARIANT, 0.0)


@pytest.mark.parametrize(("scale", "shift"), [(0.9, 0.05), (0.2, 0.5)])
def test_scale_and_shift_of_the_disparity_are_free(scale, shift):
    truth = torch.rand((1, 24, 18), generator=torch.Generator().manual_seed(2))
    logits = torch.logit(truth * scale + shift)
    scores = ablation._scores(torch.zeros(3, 96, 72), logits, truth, DEPTH, VARIANT)
    assert scores["loss"] == pytest.approx(0, abs=1e-5)
    assert scores["rank"] == pytest.approx(1)
    assert scores["accuracy"] == 1
    assert scores["iou"] > 0.98
    opposite = ablation._scores(torch.zeros(3, 96, 72), -logits, truth, DEPTH, VARIANT)
    assert opposite["rank"] == pytest.approx(-1)


def test_a_study_of_batches_shows_every_variant_as_many_pictures(portraits):
    base = plan(portraits, "portrait")
    base = replace(base, recipe=replace(base.recipe, steps=16, batch=8))
    for row in ablation.study("batches", width=2):
        run = ablation._run_of(base, row)
        assert run.recipe.steps * run.recipe.batch == 128
        assert run.recipe.batch == row.batch
    rates = [ablation._run_of(base, row).recipe for row in ablation.study("rates", width=2)]
    assert [recipe.rate for recipe in rates] == list(ablation.RATES)
    assert all(recipe.encoder_rate == recipe.rate for recipe in rates)


def test_the_confusion_is_also_that_of_the_training_part(portraits, network):
    base = replace(plan(portraits, "portrait"), test_limit=2)
    result = ablation.score(network, base, VARIANT, 0.0)
    for table in (result.confusion, result.learnt_confusion):
        assert sum(map(sum, table)) == pytest.approx(1)
    assert result.confusion != result.learnt_confusion
    assert len(ablation.learnt_of(base)) == 2


def test_a_network_that_fails_leaves_no_thread_behind(portraits, network, monkeypatch):
    def fail(_):
        raise RuntimeError("no memory")

    monkeypatch.setattr(network, "forward", fail)
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="no memory"):
        ablation.score(network, plan(portraits, "portrait"), VARIANT, 0.0)
    assert threading.active_count() == before


def test_a_variant_keeps_its_run_whatever_else_is_trained(portraits):
    rows = [replace(VARIANT, loss=loss, name=loss) for loss in ("bce", "dice", "l1")]
    base = plan(portraits, "portrait")
    base = replace(base, recipe=replace(base.recipe, steps=1, epochs=0), limit=2)
    said = []
    (first, _), (second, _) = ablation.ablate(base, [rows[0], rows[1]], print)
    (again, _), (other, _) = ablation.ablate(base, [rows[0], rows[2]], said.append)
    assert again == first
    assert other.loss != second.loss
    assert sum("resumed" in line for line in said) == 1
    longer = replace(base, recipe=replace(base.recipe, steps=2))
    assert "resumed" not in " ".join(_said(longer, rows[0]))


def _said(base, variant):
    said = []
    ablation.ablate(base, [variant], said.append)
    return said
