"""Views: labels move with the picture, and those of a run's end are nearer to the photo."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from bokeh_core.training import augment
from bokeh_core.training.samples import Sample
from tests.bokeh_core.training.conftest import draw

TARGET = augment.Canvas(96, 64)


@pytest.fixture
def sample():
    rgb, mask, depth = draw(3)
    return Sample("drawn/003", rgb, mask, depth[::3, ::3])


def likeness(sample, chances, rounds=300):
    """Mean overlap of the views' masks with the one of the whole picture."""
    whole = augment.whole(sample, TARGET).mask > 127
    overlaps = []
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        mask = augment.view(rng, sample, None, TARGET, chances).mask > 127
        mirrored = mask[:, ::-1]
        overlaps += [
            max((whole & one).sum() / max((whole | one).sum(), 1) for one in (mask, mirrored))
        ]
    return np.mean(overlaps)


def test_views_of_the_end_of_a_run_are_nearer_to_the_photo(sample):
    assert likeness(sample, augment.NEAR) > likeness(sample, augment.VARIED) + 0.05


STILL = augment.Chances(
    nobody=0, quarter_turn=0.5, tilt=15, second=0, bystanders=0, colour=0, damage=0
)


def test_mask_and_depth_move_with_the_picture(sample):
    """The drawn person is brighter and nearer than everything else."""
    for seed in range(40):
        view = augment.view(np.random.default_rng(seed), sample, None, TARGET, STILL)
        bright = view.rgb.mean(2) > 115
        assert (bright == (view.mask > 127)).mean() > 0.96
        near = view.depth > 140
        person = cv2.resize(view.mask, near.shape[::-1], interpolation=cv2.INTER_AREA) > 127
        assert (near == person).mean() > 0.9


def test_a_second_subject_is_in_the_mask_and_its_depth_is_unknown(sample):
    always = replace(STILL, second=1.0)
    marked = replace(sample, rgb=np.full_like(sample.rgb, (255, 0, 255)))
    for seed in range(20):
        view = augment.view(np.random.default_rng(seed), sample, marked, TARGET, always)
        pasted = (view.rgb[..., 1] < 20) & (view.rgb[..., 0] > 235)
        assert (view.mask[pasted] > 127).all()
        assert not view.has_depth


def test_nobody_is_a_view_of_the_background(sample):
    empty = replace(STILL, nobody=1.0)
    masks = [
        augment.view(np.random.default_rng(seed), sample, None, TARGET, empty).mask
        for seed in range(20)
    ]
    assert np.mean([mask.max() < 128 for mask in masks]) > 0.9


def test_without_chances_a_view_is_the_whole_picture(sample):
    never = augment.Chances(
        nobody=0,
        quarter_turn=0,
        tilt=0,
        whole=1,
        part=0,
        second=0,
        bystanders=0,
        colour=0,
        damage=0,
    )
    assert likeness(sample, never, 40) > 0.8  # a little larger, smaller, moved or stretched
    view = augment.view(np.random.default_rng(0), sample, sample, TARGET, never)
    assert view.has_mask
    assert view.has_depth  # nobody was pasted in
    inside = view.mask > 250
    assert view.rgb[inside].min() > 120  # the person's colours as they were
    assert view.rgb[view.mask == 0].max() < 120
