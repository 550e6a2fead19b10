"""The default network's parts that came later change nothing until they are trained."""

from __future__ import annotations

import numpy as np
import torch

from bokeh_core.networks import inference, registry
from bokeh_core.networks.shared import SharedPortraitNet, fill


def test_an_untrained_channel_sees_no_animal_and_leaves_people_as_they_are():
    torch.manual_seed(2)
    network = SharedPortraitNet().eval()
    fill(network, registry.load_tensors(registry.find("portrait")), SharedPortraitNet.IDENTITIES)
    photo = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        before, disparity = network(photo)
        torch.nn.init.zeros_(network.matte.animals.weight)
        torch.nn.init.constant_(network.matte.animals.bias, -6.0)
        after, same = network(photo)
    assert before.shape == (1, 2, 64, 96)
    assert torch.equal(before[:, 0], after[:, 0])
    assert torch.equal(disparity, same)
    assert float(torch.sigmoid(after[:, 1]).max()) < 0.01


def test_a_prediction_has_people_animals_and_disparity_of_a_photo():
    rng = np.random.default_rng(1)
    seen = inference.predict(rng.random((40, 60, 3), np.float32), closer=False)
    assert seen.matte.shape == seen.animals.shape
    assert seen.disparity.shape == tuple(side // 4 for side in seen.matte.shape)
    for plane in (seen.matte, seen.animals, seen.disparity):
        assert plane.dtype == np.float32
        assert plane.min() >= 0
        assert plane.max() <= 1
