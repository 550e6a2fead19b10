"""Views: labels move with the picture, and those of a run's end are nearer to the photo."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from bokeh_core.training import augment, paste
from bokeh_core.training.augment import Others
from bokeh_core.training.samples import Sample
from bokeh_core.training.views import Canvas
from tests.bokeh_core.training.conftest import draw

TARGET = Canvas(96, 64)


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
        mask = augment.view(rng, sample, augment.NOBODY, TARGET, chances).mask > 127
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
        view = augment.view(np.random.default_rng(seed), sample, augment.NOBODY, TARGET, STILL)
        bright = view.rgb.mean(2) > 115
        assert (bright == (view.mask > 127)).mean() > 0.96
        near = view.depth > 140
        person = cv2.resize(view.mask, near.shape[::-1], interpolation=cv2.INTER_AREA) > 127
        assert (near == person).mean() > 0.9


def test_a_second_subject_is_in_the_mask_and_its_depth_is_unknown(sample):
    always = replace(STILL, second=1.0)
    marked = replace(sample, rgb=np.full_like(sample.rgb, (255, 0, 255)))
    for seed in range(20):
        view = augment.view(np.random.default_rng(seed), sample, Others([marked]), TARGET, always)
        pasted = (view.rgb[..., 1] < 20) & (view.rgb[..., 0] > 120)
        assert pasted.any()
        assert (view.mask[pasted] > 64).all()  # outlines are soft
        assert not view.has_depth


@pytest.mark.parametrize("kind", ["animals", "mask"])
def test_a_close_up_is_filled_by_the_animal_or_else_the_person(sample, kind):
    empty = np.zeros_like(sample.mask)
    planes = {"mask": empty, "animals": empty, kind: sample.mask}
    near, whole = (
        np.mean(
            [
                getattr(view, kind).mean()
                for seed in range(40)
                for view in [
                    augment.view(
                        np.random.default_rng(seed),
                        replace(sample, **planes),
                        augment.NOBODY,
                        TARGET,
                        replace(STILL, close_up=chance),
                    )
                ]
            ]
        )
        for chance in (1.0, 0.0)
    )
    assert near > 1.5 * whole


def test_nobody_is_a_view_of_the_background(sample):
    empty = replace(STILL, nobody=1.0)
    masks = [
        augment.view(np.random.default_rng(seed), sample, augment.NOBODY, TARGET, empty).mask
        for seed in range(20)
    ]
    assert np.mean([mask.max() < 128 for mask in masks]) > 0.9


def test_without_chances_a_view_is_the_whole_picture(sample):
    never = augment.Chances(
        nobody=0,
        close_up=0,
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
    view = augment.view(np.random.default_rng(0), sample, Others([sample]), TARGET, never)
    assert view.has_mask
    assert view.has_depth  # nobody was pasted in
    inside = view.mask > 250
    assert view.rgb[inside].min() > 120  # the person's colours as they were
    assert view.rgb[view.mask == 0].max() < 120


def labelled(sample, *, animal=False):
    """The sample with a mask of labels: the person unknown in the upper half, or an animal."""
    upper = np.zeros_like(sample.mask)
    upper[: len(upper) // 2] = sample.mask[: len(upper) // 2]
    if animal:
        nothing = np.zeros_like(sample.mask)
        return replace(sample, mask=nothing, animals=sample.mask, known=255 - nothing)
    mask = sample.mask - upper
    return replace(sample, mask=mask, animals=np.zeros_like(mask), known=255 - upper)


def test_what_is_unknown_moves_with_the_picture_and_hides_what_it_mixes_with(sample):
    unsure = labelled(sample)
    marked = replace(unsure, rgb=np.dstack([unsure.known] * 3))
    seen = 0
    for seed in range(40):
        view = augment.view(np.random.default_rng(seed), marked, augment.NOBODY, TARGET, STILL)
        assert set(np.unique(view.known)) <= {0, 255}
        assert (view.rgb[view.known > 0] > 245).all()  # not even partly of an unknown pixel
        seen += (view.known == 0).any()
    assert seen > 30  # the others are parts without the person


def test_soft_mattes_are_known_everywhere_and_say_nothing_of_animals(sample):
    view = augment.whole(sample, TARGET)
    assert view.known.min() == 255
    assert not view.has_animals
    assert augment.whole(labelled(sample), TARGET).has_animals


def test_people_pasted_far_away_are_people_and_leave_what_is_unknown(sample):
    magenta = replace(sample, rgb=np.full_like(sample.rgb, (255, 0, 255)))
    crowded = replace(STILL, bystanders=1.0)
    found = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        view = augment.view(rng, labelled(sample), Others([magenta]), TARGET, crowded)
        pasted = (view.rgb[..., 1] < 20) & (view.rgb[..., 0] > 120)
        assert (view.mask[pasted] > 64).all()  # outlines are soft
        assert (view.known[pasted] > 0).all()
        found += pasted.any()
    assert found > 20


def test_scenes_of_nobody_get_people_of_every_size_or_stay_empty(sample):
    scene = labelled(sample, animal=True)
    others = Others([sample], [scene])
    always = replace(STILL, scene=1.0)
    heights = []
    for seed in range(60):
        view = augment.view(np.random.default_rng(seed), sample, others, TARGET, always)
        assert view.has_animals
        assert not ((view.mask > 127) & (view.animals > 127)).any()
        heights.append((view.mask > 127).any(1).sum() / TARGET.height)
    assert min(heights) == 0
    assert 0 < min(h for h in heights if h) < 0.15
    assert max(heights) > 0.5


def test_somebody_wider_than_the_view_is_pasted_too(sample):
    lying = paste.CutOut(
        np.full((20, 90, 3), 255, np.uint8), np.full((20, 90), 255, np.uint8), cropped=False
    )
    for seed in range(10):
        rng = np.random.default_rng(seed)
        assert paste.put(rng, augment.whole(sample, TARGET), lying, 1.1).mask.mean() > 60
