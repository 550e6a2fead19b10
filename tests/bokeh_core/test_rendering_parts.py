"""The parts of the renderer, each by the property it is there for."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bokeh_core.lens import Lens
from bokeh_core.rendering.blur import Kept
from bokeh_core.rendering.clean import Blemishes, cleaned
from bokeh_core.rendering.display import decode, encode
from bokeh_core.rendering.fill import filled
from bokeh_core.rendering.frame import Bounds, fast_size, tiles, window
from bokeh_core.rendering.kernels import aperture_kernel
from bokeh_core.rendering.levels import FULL, PREVIEW, Levels, fourfold_variance
from bokeh_core.rendering.resample import doubled, halved
from bokeh_core.rendering.thresholds import Edges

CPU = torch.device("cpu")


def random(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (576, 577), (1000, 130)])
def test_tiles_cover_every_pixel_once_on_the_grid(size):
    count = np.zeros(size, int)
    for tile in tiles(*size, 128, 16):
        assert tile.top % 16 == tile.left % 16 == 0
        assert max(tile.height, tile.width) <= 128
        count[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width] += 1
    assert (count == 1).all()


def test_a_window_past_the_frame_is_mirrored_like_numpys_symmetric_padding():
    image = random(5, 7, 3)
    seen = window(image, Bounds(-12, -9, 30, 28), CPU).permute(1, 2, 0)
    padded = np.pad(image.numpy(), ((12, 13), (9, 12), (0, 0)), mode="symmetric")
    np.testing.assert_array_equal(seen.numpy(), padded)


def test_fast_sizes_are_products_of_small_primes():
    assert [fast_size(n, 16) for n in (1, 16, 17, 16 * 7, 16 * 11)] == [16, 16, 32, 128, 192]


@pytest.mark.parametrize("size", [(2, 2), (8, 10), (1, 6)])
def test_halving_and_doubling_are_the_block_mean_and_bilinear(size):
    planes = random(3, *size)
    expected = F.interpolate(planes[None], scale_factor=2, mode="bilinear")[0]
    torch.testing.assert_close(doubled(planes), expected)
    torch.testing.assert_close(halved(doubled(planes)).mean(), planes.mean(), atol=0.2, rtol=0)
    if size[0] % 2 == 0:
        torch.testing.assert_close(halved(planes), F.avg_pool2d(planes[None], 2)[0])


@pytest.mark.parametrize("quality", [FULL, PREVIEW])
@pytest.mark.parametrize("reach", [0.0, 0.4, 7.0, 48.0, 900.0])
def test_levels_end_at_the_reach_and_shares_sum_to_one_with_the_variance_kept(quality, reach):
    levels = Levels.up_to(reach, quality)
    assert levels.radii[-1] == (max(reach, quality.first) if reach else 0.0)
    assert list(levels.radii) == sorted(levels.radii)
    coc = torch.linspace(0, reach, 50)[None, None]
    rises = [levels.rise(coc * coc, i) for i in range(len(levels.radii) + 1)]
    shares = [above - beyond for above, beyond in itertools.pairwise(rises)]
    total = sum(shares) + torch.zeros_like(coc)
    torch.testing.assert_close(total, torch.ones_like(coc))
    variance = sum(s * fourfold_variance(r) for s, r in zip(shares, levels.radii, strict=True))
    meant = coc * coc + (coc * coc).clamp(max=1) / 3
    torch.testing.assert_close(variance + torch.zeros_like(coc), meant, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("radius", [0.3, 1.0, 2.5, 11.0])
@pytest.mark.parametrize("lens", [Lens(), Lens(blades=6), Lens(ring=-1.0), Lens(squeeze=2.0)])
def test_kernels_sum_to_one_and_are_odd_squares(lens, radius):
    kernel = aperture_kernel(lens, radius)
    assert float(kernel.sum()) == pytest.approx(1.0, abs=1e-5)
    assert kernel.shape[0] == kernel.shape[1]
    assert kernel.shape[0] % 2 == 1
    torch.testing.assert_close(kernel, kernel.flip(0, 1), atol=1e-6, rtol=0)


@pytest.mark.parametrize("radius", [*(level for level in Levels.up_to(9.0, FULL).radii[1:]), 20.0])
def test_discs_are_as_wide_as_levels_count_on(radius):
    kernel = aperture_kernel(Lens(), radius).double()
    place = torch.arange(len(kernel), dtype=torch.float64) - len(kernel) // 2
    variance = float((kernel.sum(0) * place**2).sum())
    assert 4 * variance == pytest.approx(fourfold_variance(radius), rel=0.07)  # discs of few pixels


def test_filling_keeps_the_known_and_continues_without_overshoot():
    values, known = random(2, 48, 64), (random(1, 48, 64, seed=1) > 0.8).float()
    known[:, :, 40:] = 0
    out = filled(values, known, None)
    shown = known.bool().expand_as(values)
    torch.testing.assert_close(out[shown], values[shown])
    assert out.min() >= values[shown].min()
    assert out.max() <= values[shown].max()
    torch.testing.assert_close(filled(torch.full_like(values, 0.3), known, None), out * 0 + 0.3)


def test_cuts_go_through_the_gap_between_surfaces():
    depth = torch.full((80, 80), 0.2)
    depth[20:60, 20:60] = 0.7
    assert Edges.none().with_band(depth, None, 2.0).cuts() == ()
    (cut,) = Edges.none().with_band(depth, None, 40.0).cuts()
    assert 0.2 < cut < 0.7
    subject = (depth > 0.5).float()
    assert Edges.none().with_band(depth, subject, 40.0).cuts() == ()


def test_a_slope_is_not_cut():
    ramp = torch.linspace(0, 1, 200)[:, None].expand(200, 80).contiguous()
    assert Edges.none().with_band(ramp, None, 48.0).cuts() == ()


def disc_scene():
    y, x = torch.meshgrid(torch.arange(160.0), torch.arange(160.0), indexing="ij")
    inside = (torch.hypot(x - 80, y - 80) < 45).float()[None]
    return 0.1 + 0.5 * inside, inside


def test_clean_depth_is_left_alone_to_the_last_bit():
    depth, matte = disc_scene()
    depth = depth + torch.linspace(0, 0.1, 160)[None, :, None]
    for cover in (matte, None):
        out = cleaned(depth, cover, 40.0, Blemishes.of(depth[0]))
        assert torch.equal(out, depth)


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_soft_edges_become_steep(sigma):
    exact, matte = disc_scene()
    taps = torch.exp(-0.5 * (torch.arange(-8.0, 9) / sigma) ** 2)
    taps = (taps / taps.sum())[None, None, :, None]
    soft = F.pad(exact[None], (8, 8, 8, 8), mode="replicate")
    soft = F.conv2d(F.conv2d(soft, taps), taps.transpose(2, 3))[0]
    blemishes = Blemishes.of(soft[0])
    for cover, share in ((None, 0.6), (matte, 0.2)):
        out = cleaned(soft, cover, 40.0, blemishes)
        assert (out - exact).abs().mean() < share * (soft - exact).abs().mean()


def test_noise_is_measured_and_smoothed_without_losing_edges():
    exact, _ = disc_scene()
    noisy = exact + 0.02 * torch.randn(exact.shape, generator=torch.Generator().manual_seed(3))
    blemishes = Blemishes.of(noisy[0])
    assert blemishes.noise == pytest.approx(0.02, rel=0.15)
    out = cleaned(noisy, None, 40.0, blemishes)
    assert (out - exact).abs().mean() < 0.5 * (noisy - exact).abs().mean()


def test_display_transfer_is_srgb_and_round_trips_above_one():
    linear = torch.tensor([0.0, 0.0031308, 0.18, 0.5, 1.0, 20.0])
    torch.testing.assert_close(decode(encode(linear)), linear, rtol=1e-5, atol=1e-7)
    assert float(encode(torch.tensor(0.5))) == pytest.approx(0.735357, abs=1e-5)


def test_kernels_kept_are_those_used_last_and_within_their_room():
    kept = Kept(100)
    for number in range(4):  # 40 bytes each: room for two
        kept.put(number, torch.full((10,), float(number)))
        kept.get(0)
    assert [number for number in range(4) if kept.get(number) is not None] == [0, 3]
    assert float(kept.get(3)[0]) == 3.0
    kept.put("large", torch.zeros(1000))  # what is in use now is kept whatever its size
    assert kept.get("large") is not None
    assert kept.get(3) is None
