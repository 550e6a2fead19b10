"""What is unknown about a picture pulls at nothing, in any loss."""

from __future__ import annotations

import pytest
import torch

from bokeh_core.training import losses, objectives
from bokeh_core.training.batches import Batch
from bokeh_core.training.recipe import Recipe


def batch(*, people=True):
    """Two pictures of noise, known in their left halves only; animals known in the first one."""
    torch.manual_seed(5)
    known = torch.zeros(2, 2, 32, 48, dtype=torch.bool)
    known[:, 0, :, :24] = True
    known[0, 1, :, :24] = True
    matte = (torch.rand(2, 1, 32, 48) > 0.5).float() * people
    disparity = torch.rand(2, 1, 8, 12)
    rgb, ones = torch.rand(2, 3, 32, 48), torch.ones(2)
    return Batch(rgb, matte, (1 - matte) * people, known, disparity, ones, ones)


def gradients(recipe, given):
    """Gradients by the logits that a network gives."""
    torch.manual_seed(6)
    mattes = torch.randn(2, 2 if recipe.task == "joint" else 1, 32, 48, requires_grad=True)
    disparity = torch.randn(2, 1, 8, 12, requires_grad=True)

    def network(_):
        return (mattes, disparity) if recipe.task == "joint" else mattes

    found = objectives.find(recipe)(network, given)
    sum(found.values()).backward()
    return mattes.grad, found


@pytest.mark.parametrize("name", list(losses.MATTE))
def test_unknown_pixels_have_no_gradient(name):
    given = batch()
    grad, _ = gradients(Recipe("portrait", name), given)
    unknown = ~given.known[:, :1]
    assert (grad[unknown] == 0).all()
    assert (grad[~unknown] != 0).any()


def test_animals_are_learnt_only_where_they_are_told():
    given = batch()
    grad, found = gradients(Recipe("joint"), given)
    assert set(found) == {"matte", "animals", "disparity"}
    assert (grad[~given.known] == 0).all()
    assert (grad[0, 1][given.known[0, 1]] != 0).any()
    assert (grad[1, 1] == 0).all()
    assert (grad[1, 0] != 0).any()


def test_what_was_found_and_labelled_in_unknown_pixels_changes_no_loss():
    given = batch()
    other = batch()
    unknown = ~given.known[:, :1]
    other.matte[unknown] = 1 - other.matte[unknown]
    before, after = (gradients(Recipe("joint"), one)[1] for one in (given, other))
    assert before["matte"] == after["matte"]
    assert before["disparity"] == after["disparity"]


def test_a_person_called_out_where_nobody_is_costs_more_the_larger():
    given = batch(people=False)
    costs = []
    for part in (0, 4, 20):
        logits = torch.full((2, 2, 32, 48), -12.0)
        logits[:, 0, :, :part] = 8.0
        found = objectives.joint(lambda _, logits=logits: (logits, torch.zeros(2, 1, 8, 12)), given)
        costs.append(float(found["matte"]))
    assert costs[0] < 0.01
    assert costs == sorted(costs)
