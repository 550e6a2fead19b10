"""Wrong labels: listed by a trained network, looked through, and no longer learnt."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from bokeh_core.errors import InputError, ModelCorrupt
from bokeh_core.evaluation import matte_metrics
from bokeh_core.training import layouts, parts, runs, suspects
from bokeh_core.training.identity import Run
from bokeh_core.training.recipe import Recipe


def score(overlap):
    truth, matte = np.zeros((2, 20, 20), np.float32)
    truth[:10], matte[: int(10 * overlap)] = 1, 1
    return matte_metrics.score(matte, truth)


def test_what_is_far_off_is_listed_and_read_again(tmp_path, portraits):
    one, two, three, four, *_ = layouts.find(portraits)
    nobody = matte_metrics.score(np.ones((9, 9), np.float32), np.zeros((9, 9), np.float32))
    dog = replace(score(1.0), animals=0.1)
    rated = [(one, score(0.2)), (two, score(0.6)), (three, nobody), (four, dog)]
    assert suspects.write(rated, tmp_path / "list.txt") == 3
    assert suspects.read(tmp_path / "list.txt") == {one.key, three.key, four.key}
    text = (tmp_path / "list.txt").read_text()
    (tmp_path / "list.txt").write_text("# looked through\n\n# " + text)
    assert suspects.read(tmp_path / "list.txt") == {three.key, four.key}


def test_names_with_spaces_are_read_as_they_were_written(tmp_path):
    item = SimpleNamespace(key="groß/bild 01 #2")
    suspects.write([(item, score(0.0))], tmp_path / "list.txt")
    with (tmp_path / "list.txt").open("a", encoding="utf-8") as more:
        more.write("by hand/me 2  # out of focus\n")
    assert suspects.read(tmp_path / "list.txt") == {item.key, "by hand/me 2"}


def test_their_masks_are_not_learnt_but_their_depth_is(tmp_path, portraits):
    plan = Run(tmp_path, portraits, Recipe(steps=1), unknown=frozenset({"drawn/003"}))
    found = parts.split(plan)
    labels = {i.key: i.labels for i in (*found.training, *found.validation, *found.test)}
    assert labels.pop("drawn/003") == {"depth"}
    assert set(labels.values()) == {frozenset({"mask", "depth"})}


def test_a_run_goes_on_only_with_the_list_it_was_begun_with(tmp_path, portraits):
    recipe = Recipe(steps=1, batch=2, sizes=((0.0, 64),))
    plan = Run(tmp_path / "run", portraits, recipe, pretrained=False)
    runs.train(replace(plan, unknown=frozenset({"drawn/003"})), print)
    with pytest.raises(ModelCorrupt, match="unknown"):
        runs.train(replace(plan, unknown=frozenset({"drawn/004"})), print)


def test_lists_that_do_not_fit_are_refused(tmp_path, portraits):
    with pytest.raises(InputError, match="drawn/lost"):
        suspects.without_masks(layouts.find(portraits), frozenset({"drawn/lost"}))
    with pytest.raises(InputError, match="absent"):
        suspects.read(tmp_path / "absent.txt")
