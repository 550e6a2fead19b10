"""A training can be stopped at any moment: what follows is as if it had not been."""

from __future__ import annotations

import math
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import cv2
import pytest
import safetensors.torch
import torch

from bokeh_core.errors import InputError, ModelCorrupt, OutOfMemory
from bokeh_core.networks.unet import UNetConfig
from bokeh_core.training import augment, checkpoint, feed, layouts, parts, runs
from bokeh_core.training.identity import Run
from bokeh_core.training.recipe import PAPER, Recipe
from bokeh_core.training.run_folder import BEST, CHECKPOINT, WEIGHTS, locked

TINY = UNetConfig("plain", batch_norm=True, width=4)
SHORT = Recipe(task="portrait", loss="default", steps=4, batch=4, sizes=((0.0, 64), (0.5, 96)))


def run(folder, data, recipe, network=TINY):
    return Run(folder, data, recipe, network)


def assert_same(a, b):
    """All that is trained, and all that was noted on the way except the time it took."""
    for ours, theirs in (
        (a.network.state_dict(), b.network.state_dict()),
        (a.averaged, b.averaged),
    ):
        assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
    lines = [[replace(line, seconds=0.0) for line in state.curve] for state in (a, b)]
    assert lines[0] == lines[1]
    assert a.step == b.step


@pytest.mark.parametrize(
    "recipe",
    [
        replace(SHORT, steps=6, batch=14),
        # at such a rate no epoch is better than the first, which the plateau must not forget
        replace(PAPER, steps=6, batch=14, sizes=((0.0, 64),), rate=20.0, encoder_rate=20.0),
        replace(SHORT, steps=6, batch=14, task="depth", loss="ssi"),
    ],
    ids=["adamw", "sgd", "depth"],
)
def test_stopped_after_an_epoch_and_resumed_equals_three_epochs_at_once(
    tmp_path, portraits, recipe, monkeypatch
):
    whole = runs.train(run(tmp_path / "whole", portraits, recipe), print)
    made = feed.Feed.batch

    def interrupted(self, step, size, **kind):
        if step == 2 and not self._plain:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGTERM)  # arrives while the third step is under way
        return made(self, step, size, **kind)

    monkeypatch.setattr(feed.Feed, "batch", interrupted)
    halves = run(tmp_path / "halves", portraits, recipe)
    assert runs.train(halves, print) is None
    stopped = torch.load(halves.folder / CHECKPOINT, weights_only=True)
    assert (stopped["step"], len(stopped["curve"])) == (3, 1)
    monkeypatch.setattr(feed.Feed, "batch", made)
    resumed = runs.train(halves, print)
    assert_same(whole, resumed)
    assert len(whole.curve) == 3
    if recipe.schedule == "plateau":
        assert whole.curve[-1].rate < whole.curve[0].rate
    assert (tmp_path / "halves" / "curves.csv").read_text().count("\n") >= 2


@pytest.mark.slow
def test_killed_outright_and_resumed_it_equals_a_run_at_once(tmp_path, portraits):
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from bokeh_core.networks.unet import UNetConfig
        from bokeh_core.training import loop, runs
        from bokeh_core.training.identity import Run
        from bokeh_core.training.recipe import Recipe
        recipe = Recipe(task="portrait", steps=60, batch=2, sizes=((0.0, 64),))
        plan = Run(Path(sys.argv[1]), Path(sys.argv[2]), recipe, UNetConfig("plain", width=4))
        original = loop.Hooks
        loop.Hooks = lambda **options: original(**{**options, "save_every": 0.0})
        runs.train(plan, print)
        """
    )
    folder = tmp_path / "run"
    command = [sys.executable, "-c", program, str(folder), str(portraits)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
        for _ in range(6000):
            if (folder / CHECKPOINT).exists():
                break
            time.sleep(0.01)
        child.kill()
    state = torch.load(folder / CHECKPOINT, weights_only=True)
    assert 0 < state["step"] < 60
    recipe = Recipe(task="portrait", steps=60, batch=2, sizes=((0.0, 64),))
    plan = run(folder, portraits, recipe, UNetConfig("plain", width=4))
    resumed = runs.train(plan, print)
    assert_same(runs.train(replace(plan, folder=tmp_path / "whole"), print), resumed)


def test_training_lowers_the_loss(tmp_path, portraits):
    recipe = replace(SHORT, steps=60, sizes=((0.0, 64),), rate=3e-3, encoder_rate=3e-3)
    state = runs.train(run(tmp_path, portraits, recipe), print)
    losses = [line.losses["loss"] for line in state.curve]
    assert losses[-1] < losses[0] * 0.8
    assert state.curve[-1].validation["iou"] > 0.5


def test_a_checkpoint_of_another_network_is_refused_by_name(tmp_path, portraits):
    folder = tmp_path / "run"
    runs.train(run(folder, portraits, replace(SHORT, steps=1)), print)
    other = run(folder, portraits, replace(SHORT, steps=2), UNetConfig("plain", width=8))
    with pytest.raises(ModelCorrupt, match=r"checkpoint\.pt"):
        runs.train(other, print)
    (folder / CHECKPOINT).write_bytes(b"damaged")
    with pytest.raises(ModelCorrupt, match="move it away"):
        runs.train(run(folder, portraits, SHORT), print)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"recipe": replace(SHORT, loss="dice", rate=0.3)}, "loss default, now dice; rate 0.0012"),
        ({"network": replace(TINY, width=8)}, "width 4, now 8"),
        ({"folders": ("drawn",)}, "folders none, now drawn"),
        ({"limit": 5}, "limit none, now 5"),
    ],
    ids=["recipe", "network", "folders", "limit"],
)
def test_a_checkpoint_goes_on_only_with_what_it_was_begun_with(tmp_path, portraits, changes, named):
    plan = run(tmp_path / "run", portraits, replace(SHORT, steps=1))
    runs.train(plan, print)
    with pytest.raises(ModelCorrupt, match=f"{named}.*move it away"):
        runs.train(replace(plan, **changes), print)
    longer = replace(plan, recipe=replace(SHORT, steps=2))
    assert runs.train(longer, print).step == 2


def test_a_checkpoint_goes_on_only_with_its_pictures(tmp_path, portraits):
    plan = run(tmp_path / "run", portraits, replace(SHORT, steps=1))
    runs.train(plan, print)
    lost = next(item for item in layouts.find(portraits) if not item.held_out)
    lost.photo.unlink()
    with pytest.raises(ModelCorrupt, match=r"pictures 26 .*, now 25 "):
        runs.train(plan, print)


def test_a_checkpoint_that_does_not_say_what_it_was_begun_with_goes_on(tmp_path, portraits):
    plan = run(tmp_path / "run", portraits, replace(SHORT, steps=1))
    runs.train(plan, print)
    path = plan.folder / CHECKPOINT
    parts = torch.load(path, weights_only=True)
    del parts["options"]
    torch.save(parts, path)
    assert runs.train(replace(plan, recipe=replace(SHORT, steps=2)), print).step == 2
    assert torch.load(path, weights_only=True)["options"]["task"] == "portrait"


def test_a_checkpoint_from_before_there_was_a_validation_part_goes_on_and_can_be_exported(
    tmp_path, portraits
):
    plan = run(tmp_path / "run", portraits, replace(SHORT, steps=1))
    runs.train(plan, print)
    path = plan.folder / CHECKPOINT
    parts = torch.load(path, weights_only=True)
    for name in ("split", "validation pictures", "augmented"):
        del parts["options"][name]
    parts["options"]["pictures"] = "27 (of before)"
    for name in ("interval", "best"):
        del parts[name]
    torch.save(parts, path)
    finished = runs.train(plan, print)  # nothing is left to do: what was trained is given back
    assert finished.step == 1
    for name, value in parts["averaged"].items():
        assert torch.equal(finished.averaged[name], value)
    assert runs.train(replace(plan, recipe=replace(SHORT, steps=2)), print).step == 2


@pytest.mark.parametrize("lost", ["averaged", "step", "seconds", "curve", "begun_from"])
def test_a_checkpoint_that_lacks_a_part_is_refused_by_name(tmp_path, portraits, lost):
    plan = run(tmp_path / "run", portraits, replace(SHORT, steps=1))
    runs.train(plan, print)
    path = plan.folder / CHECKPOINT
    parts = torch.load(path, weights_only=True)
    del parts[lost]
    torch.save(parts, path)
    with pytest.raises(ModelCorrupt, match=r"checkpoint\.pt"):
        runs.train(plan, print)


def lost_on_the_way(tmp_path, portraits, **settings):
    """Train, larger from step 7 on, and lose a picture at that step; returns what was said."""
    item = next(item for item in layouts.find(portraits) if item.part() == "training")
    said = []

    def lose(line):
        said.append(line)
        if "step 7 " in line:
            item.photo.write_bytes(b"")

    plan = replace(run(tmp_path / "run", portraits, replace(SHORT, steps=14)), **settings)
    state = runs.train(plan, lose)
    assert state.step == 14
    return item.photo.name, said


def test_a_picture_lost_during_the_training_is_left_out_and_counted(tmp_path, portraits):
    name, said = lost_on_the_way(tmp_path, portraits)
    (line,) = (line for line in said if "left out" in line)
    assert "picture 1 of 20 at most" in line
    assert name in line


def test_a_strict_training_ends_at_a_lost_picture(tmp_path, portraits):
    with pytest.raises(InputError, match=r"cannot read .*\.jpg"):
        lost_on_the_way(tmp_path, portraits, broken=0)


def test_more_broken_pictures_than_allowed_end_the_training(tmp_path, portraits):
    learnt = [item for item in layouts.find(portraits) if item.part() == "training"]
    for item in learnt[:3]:
        item.photo.write_bytes(b"")
    plan = run(tmp_path / "run", portraits, replace(SHORT, steps=1))
    with pytest.raises(InputError, match=f"more than 2 .*; the last: .*{learnt[2].photo.name}"):
        runs.train(replace(plan, broken=2), print)
    assert runs.train(replace(plan, broken=3), print).step == 1


def test_a_broken_validation_picture_does_not_count(tmp_path, portraits):
    lists = {"val.txt": range(4), "train.txt": range(4, 20), "test.txt": range(20, 30)}
    for name, numbers in lists.items():
        text = "".join(f"{number:03d}\n" for number in numbers)
        (portraits / "drawn" / name).write_text(text)
    plan = replace(run(tmp_path / "a", portraits, replace(SHORT, steps=1)), split="published")
    lost = portraits / "drawn" / "002.jpg"
    content = lost.read_bytes()
    lost.write_bytes(b"")
    broken = runs.train(plan, print).curve[-1].validation
    lost.write_bytes(content)
    (portraits / "drawn" / "val.txt").write_text("000\n001\n003\n")
    with (portraits / "drawn" / "test.txt").open("a") as file:
        file.write("002\n")
    without = runs.train(replace(plan, folder=tmp_path / "b"), print).curve[-1].validation
    assert broken == pytest.approx(without, abs=1e-6)


def test_a_step_for_which_there_is_no_room_says_what_needs_less(tmp_path, portraits, monkeypatch):
    """A tensor of more memory than any machine has, asked of the real allocator in the loss."""

    def endless(_network, batch):
        return {"loss": torch.empty(2**46).sum() + batch.rgb.sum()}

    monkeypatch.setattr(runs.objectives, "find", lambda _: endless)
    with pytest.raises(OutOfMemory, match="smaller --batch or --size"):
        runs.train(run(tmp_path / "run", portraits, SHORT), print)


def test_a_training_that_diverges_ends_in_words_and_keeps_its_checkpoint(tmp_path, portraits):
    plan = run(tmp_path / "run", portraits, SHORT)
    runs.train(replace(plan, recipe=replace(plan.recipe, steps=1)), print)
    kept = (plan.folder / CHECKPOINT).read_bytes()

    def endless(network, batch):
        return {"loss": network(batch.rgb).sum() * math.inf}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs.objectives, "find", lambda _recipe: endless)
        with pytest.raises(InputError, match="diverged at step 1: a lower --rate"):
            runs.train(plan, print)
    assert (plan.folder / CHECKPOINT).read_bytes() == kept


def test_a_run_begun_without_a_loss_scaler_goes_on_with_one(tmp_path, portraits):
    state = runs.train(run(tmp_path / "run", portraits, SHORT), print)
    state.scaler = torch.amp.GradScaler("cpu", enabled=True)
    checkpoint.load(state, tmp_path / "run" / CHECKPOINT)
    assert state.step == SHORT.steps


def test_views_for_depth_alone_all_have_a_depth(tmp_path, portraits, monkeypatch):
    known = []
    view = augment.view

    def recorded(*what):
        known.append((made := view(*what)).has_depth)
        return made

    monkeypatch.setattr(augment, "view", recorded)
    for task in ("portrait", "depth"):
        known.clear()
        runs.train(run(tmp_path / task, portraits, replace(SHORT, task=task, loss="l1")), print)
        assert all(known) == (task == "depth")


def test_a_validation_picture_that_cannot_be_read_is_named_before_the_first_step(
    tmp_path, portraits, monkeypatch
):
    item = next(item for item in layouts.find(portraits) if item.part() == "validation")
    item.mask.write_bytes(b"damaged")
    monkeypatch.setattr(runs.loop, "train", lambda *_: pytest.fail("a step was made"))
    plan = replace(run(tmp_path / "run", portraits, SHORT), broken=0)
    with pytest.raises(InputError, match=item.mask.name):
        runs.train(plan, print)


def test_batches_are_the_same_for_the_same_step(portraits):
    items = layouts.find(portraits)

    def batch(step, before=()):
        source = feed.Feed(items, batch=3, seed=5)
        for earlier in before:
            source.batch(earlier, 64)
        found = source.batch(step, 64)
        source.close()
        return found

    first, again, other = batch(2, (0, 1)), batch(2), batch(3)
    assert torch.equal(first.rgb, again.rgb)
    assert torch.equal(first.matte, again.matte)
    assert torch.equal(first.disparity, again.disparity)
    assert first.rgb.shape != other.rgb.shape or not torch.equal(first.rgb, other.rgb)


def test_the_same_step_gives_the_same_batch_after_the_views_changed_their_kind(portraits):
    items = layouts.find(portraits)
    source = feed.Feed(items, batch=3, seed=5)
    varied = source.batch(1, 64)  # and the next ones are prepared, of the same kind
    switched = source.batch(2, 64, near=True)
    source.close()
    source = feed.Feed(items, batch=3, seed=5)
    near, fresh = source.batch(1, 64, near=True), source.batch(2, 64, near=True)
    source.close()
    assert torch.equal(switched.rgb, fresh.rgb)
    assert varied.rgb.shape != near.rgb.shape or not torch.equal(varied.rgb, near.rgb)


def test_the_mask_moves_with_the_picture(portraits):
    """The drawn person is brighter than everything else, whatever the view."""
    source = feed.Feed(layouts.find(portraits), batch=8, seed=0, plain=True)
    batch = source.batch(0, 96)
    source.close()
    bright = batch.rgb.mean(1, keepdim=True) > 0.45
    agreement = (bright == (batch.matte > 0.5)).float().mean()
    assert agreement > 0.98
    inside = torch.nn.functional.avg_pool2d(batch.matte, 4) > 0.9
    assert batch.disparity[inside].mean() > batch.disparity[~inside].mean() + 0.4


def test_plain_pictures_keep_their_orientation_and_come_once(portraits, monkeypatch):
    items = layouts.find(portraits)[:11]
    for item in items[::3]:  # four of eleven lie on their side
        for path in (item.photo, item.mask, item.depth):
            cv2.imwrite(str(path), cv2.imread(str(path)).transpose(1, 0, 2))
    seen = []
    whole = augment.whole

    def recorded(sample, target):
        agrees = (sample.rgb.shape[0] < sample.rgb.shape[1]) == (target.height < target.width)
        seen.append((sample.key, agrees))
        return whole(sample, target)

    monkeypatch.setattr(augment, "whole", recorded)
    source = feed.Feed(items, batch=4, seed=5, plain=True)
    shapes = [tuple(source.batch(step, 96).rgb.shape[2:]) for step in range(source.epoch_steps)]
    source.close()
    assert shapes == [(96, 64), (96, 64), (64, 96)]
    assert sorted(key for key, _ in seen[:11]) == [item.key for item in items]
    assert sum(agrees for _, agrees in seen[:11]) == 10  # one shares a batch with upright ones


def test_every_picture_is_seen_once_an_epoch_each_time_in_another_order(portraits, monkeypatch):
    seen = []
    view = augment.view

    def recorded(rng, sample, *further):
        seen.append(sample.key)
        return view(rng, sample, *further)

    monkeypatch.setattr(augment, "view", recorded)
    items = layouts.find(portraits)
    source = feed.Feed(items, batch=7, seed=5)
    assert source.epoch_steps == 5
    for step in range(2 * source.epoch_steps):
        source.batch(step, 64)
    source.close()
    first, second = seen[:30], seen[30:60]  # an epoch may end within a batch
    assert sorted(first) == sorted(second) == [item.key for item in items]
    assert first != second
    assert first != sorted(first)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0, "epochs": 0, "minutes": 0},
        {"batch": 0},
        {"sizes": ((0.0, 100),)},
        {"rate": 0},
        {"steps": -1},
        {"epochs": math.nan},
        {"minutes": math.inf},
        {"encoder_rate": math.nan},
        {"seed": -1},
    ],
)
def test_an_impossible_recipe_is_refused(wrong):
    with pytest.raises(InputError):
        replace(Recipe(), **wrong)


@pytest.mark.parametrize(
    ("task", "lost", "network"),
    [("portrait", "mask", UNetConfig("plain", width=4)), ("joint", "depth", None)],
)
def test_pictures_without_the_labels_of_the_task_are_refused(
    tmp_path, portraits, task, lost, network
):
    for file in portraits.rglob(f"*_{lost}.png"):
        file.unlink()
    with pytest.raises(InputError, match=f"no picture of the training part has a {lost}"):
        runs.train(run(tmp_path, portraits, replace(SHORT, task=task), network), print)


def test_only_pictures_with_a_label_of_the_task_count(tmp_path, portraits):
    files = sorted(portraits.rglob("*_mask.png"))
    for file in files[1::3]:
        file.unlink()
    found = parts.split(run(tmp_path, portraits, SHORT))
    items = [*found.training, *found.validation, *found.test]
    assert len({item.key for item in items}) == len(items) == 20
    assert all("mask" in item.labels for item in items)


def test_the_shared_network_has_one_loss(tmp_path, portraits):
    recipe = replace(SHORT, task="joint", loss="l1")
    with pytest.raises(InputError, match="default only"):
        runs.train(run(tmp_path, portraits, recipe, None), print)


def test_a_training_of_days_says_how_many_are_left(tmp_path, portraits):
    state = runs.train(run(tmp_path, portraits, replace(SHORT, steps=1)), print)
    state.seconds = 3600.0
    assert runs.describe(state, 1 / 50).endswith("2 days, 1:00:00 left")


def test_task_and_network_must_agree(tmp_path, portraits):
    with pytest.raises(InputError, match="joint"):
        runs.train(run(tmp_path, portraits, SHORT, None), print)
    with pytest.raises(InputError, match="portrait or depth"):
        runs.train(run(tmp_path, portraits, replace(SHORT, task="joint")), print)


def test_the_curves_have_the_means_of_all_steps_since_the_line_before(
    tmp_path, portraits, monkeypatch
):
    losses = []
    step = runs.loop._step

    def recorded(*what):
        losses.append(step(*what))
        return {name: value.clone() for name, value in losses[-1].items()}

    monkeypatch.setattr(runs.loop, "_step", recorded)
    state = runs.train(run(tmp_path, portraits, replace(SHORT, steps=9)), print)
    assert [line.step for line in state.curve] == [7, 9]
    values = [float(one["loss"]) for one in losses]
    assert state.curve[0].losses["loss"] == pytest.approx(sum(values[:7]) / 7)
    assert state.curve[1].losses["loss"] == pytest.approx(sum(values[7:]) / 2)


def test_the_best_weights_are_those_of_the_lowest_validation_loss(tmp_path, portraits):
    # at such a rate no epoch is better than the first
    wild = replace(PAPER, batch=14, sizes=((0.0, 64),), rate=20.0, encoder_rate=20.0)
    first = run(tmp_path / "first", portraits, replace(wild, steps=2))
    runs.train(first, print)
    longer = run(tmp_path / "longer", portraits, replace(wild, steps=6))
    state = runs.train(longer, print)
    losses = [line.validation["loss"] for line in state.curve]
    assert state.best == losses[0] == min(losses)
    best, early, late = (
        safetensors.torch.load_file(path)
        for path in (longer.folder / BEST, first.folder / WEIGHTS, longer.folder / WEIGHTS)
    )
    assert all(torch.equal(best[name], early[name]) for name in early)
    assert not all(torch.equal(best[name], late[name]) for name in late)


def test_two_trainings_do_not_share_a_folder(tmp_path, portraits):
    plan = run(tmp_path / "run", portraits, replace(SHORT, steps=1))
    with locked(plan.folder), pytest.raises(InputError, match="another training is at work in"):
        runs.train(plan, print)
    assert runs.train(plan, print).step == 1


def test_what_it_computes_in_is_said(tmp_path, portraits, capsys):
    runs.train(run(tmp_path, portraits, replace(SHORT, steps=1, precision="bf16")), print)
    assert "bf16 mixed precision on cpu" in capsys.readouterr().out


def test_the_curves_go_to_tensorboard_too(tmp_path, portraits):
    pytest.importorskip("tensorboard", reason="extra tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    plan = replace(run(tmp_path, portraits, replace(SHORT, steps=7)), tensorboard=True)
    state = runs.train(plan, print)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    (shown,) = events.Scalars("validation/iou")
    assert (shown.step, shown.value) == (7, pytest.approx(state.curve[-1].validation["iou"]))
    assert "training/loss" in events.Tags()["scalars"]


@pytest.mark.slow
def test_processes_that_prepare_batches_change_nothing(tmp_path, portraits):
    plan = run(tmp_path / "thread", portraits, replace(SHORT, steps=6))
    whole = runs.train(plan, print)
    with_workers = replace(plan, folder=tmp_path / "workers", workers=2, memory=1e-6)
    assert_same(whole, runs.train(with_workers, print))
