"""Ways are read, run and held against each other."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import safetensors.torch
import torch

from bokeh_core.errors import InputError, ModelCorrupt, ModelMissing
from bokeh_core.evaluation import comparison, ways
from bokeh_core.evaluation.scenes import portrait
from bokeh_core.evaluation.thin_lens import pinhole
from bokeh_core.networks.unet import UNet, UNetConfig
from bokeh_core.picture import from_linear, to_linear


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A made-up photo with its mask and depth as files."""
    folder = tmp_path_factory.mktemp("scene")
    truth = pinhole(portrait(96, 8))
    rgb = from_linear(np.clip(truth.rgb, 0, 1), np.uint8)
    cv2.imwrite(str(folder / "p.png"), rgb[..., ::-1])
    cv2.imwrite(str(folder / "p_mask.png"), from_linear(truth.matte, np.uint8, "linear"))
    cv2.imwrite(str(folder / "p_depth.png"), from_linear(truth.depth, np.uint16, "linear"))
    return folder


def test_names_and_settings():
    default, paper, own = ways.read("default,paper:matte=w.safetensors,own:refine=none:render=bins")
    assert default == ways.Way("default")
    assert (paper.matte, paper.refine, paper.render) == ("w.safetensors", "border", "bins")
    assert (own.matte, own.refine, own.render) == ("portrait", "none", "bins")


@pytest.mark.parametrize(
    "text", ["", "nobody", "default,default", "x:colour=red", "x:refine=more", "x:render="]
)
def test_what_is_no_way(text):
    with pytest.raises(InputError):
        ways.read(text)


def test_given_maps_differ_by_their_renderer_alone(scene):
    given = f"matte={scene}:depth={scene}"
    chosen = ways.read(f"lens:{given},bins:{given}")
    photos = [comparison.Photo(scene / "p.png")]
    found = comparison.compare(
        photos, chosen, reference="lens", long_side=4096, tick=lambda _: None
    )
    lens, bins = found.rows
    assert lens.iou == bins.iou == lens.boundary == 1
    assert bins.rank == pytest.approx(1)
    assert math.isnan(lens.psnr)
    assert 10 < bins.psnr < 60
    assert bins.total_s == pytest.approx(bins.matte_s + bins.depth_s + bins.render_s)
    assert bins.cpu_s > 0
    assert bins.peak_mb > 50
    table = comparison.as_markdown(found.rows)
    assert [line.count("|") for line in table.splitlines()] == [12, 12, 12, 12]
    assert comparison.as_csv(found.rows).count("\n") == 3
    assert comparison.sheet(found).shape[1] > 2 * 200


def test_a_python_file(scene, tmp_path):
    own = tmp_path / "own.py"
    own.write_text("def matte(rgb):\n    return rgb[::2, ::2, 0] / 255\n")
    (way,) = ways.read(f"own:matte={own}:refine=none")
    rgb = to_linear(cv2.imread(str(scene / "p.png"))[..., ::-1])
    matte = ways.matte_of(way, scene / "p.png", rgb)
    assert matte.shape == rgb.shape[:2]
    assert np.corrcoef(matte.ravel(), rgb[..., 0].ravel())[0, 1] > 0.8
    own.with_name("none.py").write_text("")
    (empty,) = ways.read(f"own:matte={own.with_name('none.py')}")
    with pytest.raises(InputError, match="has no function matte"):
        ways.matte_of(empty, scene / "p.png", rgb)


def test_a_way_may_name_a_weights_file(scene, tmp_path):
    torch.manual_seed(0)
    network = UNet(UNetConfig("plain", width=4))
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file({n: t.contiguous() for n, t in network.state_dict().items()}, path)
    rgb = to_linear(cv2.imread(str(scene / "p.png"))[..., ::-1].copy())
    (way,) = ways.read(f"mine:matte={path}:depth={path}:refine=border")
    matte = ways.matte_of(way, scene / "p.png", rgb)
    depth = ways.depth_of(way, scene / "p.png", rgb, matte)
    assert matte.shape == depth.shape == rgb.shape[:2]
    assert 0 <= depth.min() < depth.max() <= 1
    (gone,) = ways.read(f"gone:matte={tmp_path / 'none.safetensors'}")
    with pytest.raises(ModelMissing):
        ways.matte_of(gone, scene / "p.png", rgb)
    other = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"x": torch.zeros(2)}, other)
    (wrong,) = ways.read(f"wrong:matte={other}")
    with pytest.raises(ModelCorrupt, match="other"):
        ways.matte_of(wrong, scene / "p.png", rgb)


def test_a_map_that_is_not_there(scene, tmp_path):
    (way,) = ways.read(f"given:matte={tmp_path}")
    with pytest.raises(InputError, match=r"has no p_mask\.png"):
        ways.matte_of(way, scene / "p.png", np.zeros((16, 16, 3), np.float32))
