"""The paper's family: every variant is built from one description and learns."""

from __future__ import annotations

import itertools

import pytest
import torch

from bokeh_core.errors import InputError, ModelMissing
from bokeh_core.networks.shared import SharedPortraitNet, sobel_magnitude
from bokeh_core.networks.unet import UNet, UNetConfig

PLAIN = [
    UNetConfig("plain", norm, upsampling, sobel, width=4)
    for norm, upsampling, sobel in itertools.product(
        (False, True), ("bilinear", "nearest", "transposed", "pixelshuffle"), (False, True)
    )
]


@pytest.mark.parametrize("config", PLAIN, ids=str)
def test_a_plain_variant_gives_logits_of_the_pictures_size_and_a_gradient_everywhere(config):
    torch.manual_seed(0)
    network = UNet(config)
    logits = network(torch.rand(2, 3, 64, 32))
    assert logits.shape == (2, 1, 64, 32)
    logits.square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("encoder", ["plain", "densenet121"])
@pytest.mark.parametrize("sobel", [False, True])
def test_without_skip_connections_the_decoder_sees_the_coarsest_map_only(encoder, sobel):
    torch.manual_seed(0)
    network = UNet(UNetConfig(encoder, sobel=sobel, width=4, skips=False)).eval()
    below = [step.in_channels for step in network.decoder.mix]
    out = [step.out_channels for step in network.decoder.mix]
    assert below[1:-1] == out[:-2]
    assert below[-1] == out[-2] + sobel
    pixels = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert network(pixels).shape == (1, 1, 64, 64)
        maps = network.encoder((pixels - network.mean) / network.std)
        before = network(pixels)
        finest = torch.full_like(maps[0], 7.0)
        network.encoder.forward = lambda _: [finest, *maps[1:]]
        torch.testing.assert_close(network(pixels), before)


@pytest.fixture(scope="module")
def densenet():
    torch.manual_seed(0)
    return UNet(UNetConfig("densenet121", sobel=True))


def test_the_densenet_decoder_has_the_published_widths(densenet):
    convolutions = [(m.in_channels, m.out_channels, m.kernel_size[0]) for m in densenet.decoder.mix]
    assert convolutions == [
        (2048, 512, 3),
        (1024, 256, 5),
        (512, 128, 5),
        (192, 16, 7),
        (16 + 3 + 1, 1, 9),  # the picture and its edges join here
    ]


def test_the_densenet_variant_gives_logits_of_the_pictures_size(densenet):
    with torch.no_grad():
        assert densenet.eval()(torch.rand(1, 3, 64, 96)).shape == (1, 1, 64, 96)


def test_without_download_the_pretrained_encoder_says_what_to_do(monkeypatch):
    from urllib.error import URLError

    def offline(*_, **__):
        raise URLError("no route")

    monkeypatch.setattr("torchvision.models.densenet121", offline)
    with pytest.raises(ModelMissing, match="--pretrained"):
        UNet(UNetConfig("densenet121", pretrained=True))


def test_unknown_parts_are_refused():
    with pytest.raises(InputError, match="encoder"):
        UNet(UNetConfig("resnet"))
    with pytest.raises(InputError, match="upsampling"):
        UNet(UNetConfig("plain", upsampling="magic", width=4))


def test_edges_are_strong_at_a_step_and_absent_in_a_flat_picture():
    flat = torch.full((1, 3, 8, 8), 0.4)
    assert sobel_magnitude(flat).max() < 1e-3
    flat[..., 4:] = 1.0
    edges = sobel_magnitude(flat)
    assert edges[..., 3:5].min() > 0.5
    assert edges[..., :2].max() < 1e-3


def test_the_shared_network_gives_both_tasks_in_one_pass():
    torch.manual_seed(0)
    with torch.no_grad():
        matte, disparity = SharedPortraitNet()(torch.rand(2, 3, 64, 96))
    assert matte.shape == (2, 2, 64, 96), "people and animals"
    assert disparity.shape == (2, 1, 16, 24)
