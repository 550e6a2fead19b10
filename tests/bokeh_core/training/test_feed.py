"""However pictures come into memory, and whoever prepares them, the batches are the same."""

from __future__ import annotations

from contextlib import closing

import cv2
import numpy as np
import pytest
import torch

from bokeh_core.errors import InputError
from bokeh_core.training import layouts
from bokeh_core.training.feed import Feed, Loading
from bokeh_core.training.samples import Broken, Store

STEPS = (0, 1, 2, 9)


def batches(items, loading=None, **how):
    with closing(Feed(items, batch=4, seed=5, loading=loading, **how)) as feed:
        return [feed.batch(step, 64) for step in STEPS]


def same(ours, theirs):
    return all(
        torch.equal(getattr(a, name), getattr(b, name))
        for a, b in zip(ours, theirs, strict=True)
        for name in ("rgb", "matte", "animals", "known", "disparity", "has_matte", "has_disparity")
    )


@pytest.mark.parametrize(
    "loading",
    [Loading(room=0), Loading(room=300_000), Loading(workers=2), Loading(workers=1, room=0)],
    ids=["nothing kept", "a part kept", "workers", "worker that reads"],
)
def test_batches_do_not_depend_on_how_pictures_are_loaded(portraits, loading):
    items = layouts.find(portraits)
    assert same(batches(items), batches(items, loading))


def test_no_more_is_kept_than_there_is_room_for(portraits):
    items = layouts.find(portraits)
    one = Store(items[:1], 96, 10**9, Broken())[0].nbytes
    store = Store(items, 96, 5 * one, Broken())
    assert len(store._kept) == 5
    assert sum(sample.nbytes for sample in store._kept.values()) <= 5 * one
    assert store[20].key == items[20].key


def test_in_place_of_a_broken_picture_comes_the_next(portraits):
    items = layouts.find(portraits)
    for item in (items[3], items[29]):
        item.photo.write_bytes(b"")
    said = []
    store = Store(items, 96, 10**9, Broken(2, said.append))
    assert [store[index].key for index in (3, 29)] == [items[4].key, items[0].key]
    assert len(said) == 2
    assert store.sound() == [index for index in range(30) if index not in (3, 29)]
    with pytest.raises(InputError, match=items[3].photo.name):
        Store(items, 96, 10**9, Broken())


@pytest.mark.parametrize("workers", [0, 1])
def test_a_picture_that_breaks_later_is_noted_once(portraits, workers):
    items = layouts.find(portraits)[:6]
    said = []
    loading = Loading(workers=workers, room=0, broken=Broken(1, said.append))
    with closing(Feed(items, batch=6, seed=5, loading=loading)) as feed:
        feed.batch(0, 64)
        items[2].photo.unlink()
        for step in range(1, 12):  # some of them have been prepared before
            assert feed.batch(step, 64).rgb.shape[0] == 6
    assert len(said) == 1
    assert items[2].photo.name in said[0]


def test_without_augmentation_every_picture_comes_once_as_it_is(portraits):
    items = layouts.find(portraits)[:8]
    found = batches(items, augmented=False)
    wanted = {item.key: cv2.resize(item.read().rgb, (64, 64)) for item in items}
    assert {tuple(batch.rgb.shape[2:]) for batch in found} == {(64, 32)}
    seen = torch.cat([batch.matte for batch in found[:2]])
    masks = [cv2.resize(item.read().mask, (32, 64), interpolation=cv2.INTER_AREA) for item in items]
    nearest = [
        int(np.argmin([np.abs(view[0].numpy() * 255 - mask).mean() for mask in masks]))
        for view in seen
    ]
    assert sorted(nearest) == list(range(8))
    assert nearest != list(range(8))
    assert len(wanted) == 8


def test_ranks_share_a_batch_between_them(portraits):
    items = layouts.find(portraits)
    whole = batches(items, augmented=False)
    halves = [batches(items, Loading(rank=rank, ranks=2), augmented=False) for rank in (0, 1)]
    for all_, *parts in zip(whole, *halves, strict=True):
        assert torch.equal(all_.rgb, torch.cat([part.rgb for part in parts]))


def test_ranks_draw_views_of_their_own_on_one_canvas(portraits):
    first, second = (
        batches(layouts.find(portraits)[:1], Loading(rank=rank, ranks=2)) for rank in (0, 1)
    )
    for a, b in zip(first, second, strict=True):
        assert a.rgb.shape == b.rgb.shape
        assert not torch.equal(a.rgb, b.rgb)
