"""Every loss is smallest for the truth, falls on the way to it, and has a gradient."""

from __future__ import annotations

import pytest
import torch

from bokeh_core.errors import InputError
from bokeh_core.training import losses
from bokeh_core.training.joint_losses import disparity_loss, matte_loss, order, outline_error

ALL = [("portrait", name) for name in losses.MATTE] + [("depth", name) for name in losses.DEPTH]


@pytest.fixture
def target():
    torch.manual_seed(0)
    plane = torch.zeros(2, 1, 32, 32)
    plane[:, :, 8:24, 10:22] = 1
    return plane


def logits(probability):
    return torch.logit(probability.clamp(1e-4, 1 - 1e-4))


@pytest.mark.parametrize(("task", "name"), ALL)
def test_a_loss_falls_towards_the_truth(task, name, target):
    loss = losses.find(task, name)
    far = torch.rand(target.shape, generator=torch.Generator().manual_seed(1))
    values = [loss(logits(far + share * (target - far)), target) for share in (0.0, 0.5, 1.0)]
    assert values[0].shape == (2,)
    assert (values[0] > values[1]).all()
    assert (values[1] > values[2]).all()
    assert (values[2] < 0.02).all()


@pytest.mark.parametrize(("task", "name"), ALL)
def test_a_loss_has_a_finite_gradient_even_where_all_is_flat(task, name):
    x = torch.zeros(1, 1, 32, 32, requires_grad=True)
    losses.find(task, name)(x, torch.zeros(1, 1, 32, 32)).sum().backward()
    assert torch.isfinite(x.grad).all()


def test_the_invariant_loss_ignores_scale_and_shift_and_the_plain_one_does_not():
    target = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(2))
    moved = logits(target * 0.4 + 0.3)
    assert losses.find("depth", "ssi")(moved, target) < 1e-3
    assert losses.find("depth", "l1")(moved, target) > 0.1


def test_the_matte_loss_weighs_the_border_more():
    target = torch.zeros(1, 1, 256, 256)
    target[:, :, 64:192, 80:176] = 1
    near, far = target.clone(), target.clone()
    near[:, :, 64:192, 176:178] = 1
    far[:, :, 64:192, 230:232] = 1
    assert matte_loss(logits(near), target) > matte_loss(logits(far), target)


def shape(right=176, side=256):
    """Return a person-like block; sides and place are parts of 256, whatever the size."""
    plane = torch.zeros(1, 1, side, side)
    top, bottom, left, edge = (line * side // 256 for line in (64, 192, 80, right))
    plane[:, :, top:bottom, left:edge] = 1
    return plane


def test_an_outline_within_three_pixels_of_640_is_right_and_one_beyond_is_not():
    for side in (256, 512):
        values = [
            float(outline_error(shape(right, side), shape(side=side))) for right in (176, 177, 192)
        ]
        assert values[0] < 1e-6
        assert values[1] < 0.01
        assert values[2] > 0.2


def test_an_outline_where_nothing_is_wanted_costs_by_its_length():
    nothing = torch.zeros(1, 1, 256, 256)
    stray = nothing.clone()
    stray[:, :, 10, 10] = 1
    assert float(outline_error(nothing, nothing)) < 1e-6
    assert 0 < float(outline_error(stray, nothing)) < 0.5 < float(outline_error(shape(), nothing))


def test_a_blurred_outline_is_worse_than_a_sharp_one():
    soft = torch.nn.functional.avg_pool2d(shape(), 15, 1, 7)
    assert float(outline_error(soft, shape())) > 0.2


def test_the_disparity_loss_punishes_a_background_in_front(target):
    truth = target * 0.5 + 0.25
    right = disparity_loss(logits(truth), truth, target)
    swapped = disparity_loss(logits(1 - truth), truth, target)
    assert (swapped > right + 0.5).all()


def test_an_unknown_loss_lists_the_known_ones():
    with pytest.raises(InputError, match="dice"):
        losses.find("portrait", "hinge")
    with pytest.raises(InputError, match="berhu"):
        losses.find("depth", "dice")


def test_the_order_is_right_when_all_is_spread_further_and_wrong_when_anything_is_turned_round():
    torch.manual_seed(0)
    target = torch.rand(2, 1, 24, 32) * 0.5 + 0.2
    assert float(order(target, target).max()) == 0
    assert float(order(1.5 * target, target).max()) < 1e-6
    flat = order(torch.full_like(target, 0.4), target)
    assert (flat > 0.5).all()
    assert (order(1 - target, target) > 2 * flat).all()
    tiny = 0.5 + 0.01 * target  # far things: hundredths of disparity
    assert (order(1 - tiny, tiny) > order(tiny, tiny)).all()
