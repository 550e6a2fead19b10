"""The parts of the renderer, each by the property it is there for."""

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bokeh_core.lens import Lens
from bokeh_core.rendering.aperture_blur.field_kernels import Field
from bokeh_core.rendering.aperture_blur.kernel import aperture_kernel
from bokeh_core.rendering.aperture_blur.radii import FULL, PREVIEW, BlurRadii, fourfold_variance
from bokeh_core.rendering.aperture_blur.scatter import Kept
from bokeh_core.rendering.aperture_blur.transforms import Complex, Packed
from bokeh_core.rendering.depth_cleanup import Blemishes, cleaned
from bokeh_core.rendering.display import decode, encode
from bokeh_core.rendering.layers.depth_cuts import Edges
from bokeh_core.rendering.layers.push_pull import filled
from bokeh_core.rendering.layers.unmix import undecided
from bokeh_core.rendering.resample import MOST_PLANES, doubled, halved
from bokeh_core.rendering.tiles import Bounds, fast_size, tiles, window

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


@pytest.mark.parametrize("size", [(3000, 4000), (720, 960), (300, 5000)])
def test_no_tile_crosses_the_lines_between_blocks(size):
    count = np.zeros(size, int)
    for tile in tiles(*size, 576, 32, 5):
        assert tile.top % 32 == tile.left % 32 == 0
        for start, length, side in zip(
            (tile.top, tile.left), (tile.height, tile.width), size, strict=True
        ):
            if side >= 5 * 256:
                block = side / 5
                first, last = (start + 16) // block, (start + length - 17) // block
                assert first == last
        count[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width] += 1
    assert (count == 1).all()


def test_a_tile_is_blended_from_the_kernels_at_its_corners_with_weights_that_sum_to_one():
    for tile in tiles(3000, 4000, 576, 32, 5):
        field = Field(tile, 3000, 4000, 5)
        nodes = field.nodes(Bounds(-64, -64, tile.height + 128, tile.width + 128))(2)
        weights = torch.stack([weight for weight, _ in nodes if weight is not None])
        assert len(nodes) == len(weights) == 4
        assert torch.allclose(weights.sum(dim=0), torch.ones(()), atol=1e-5)


def test_a_rectangle_within_another_lies_on_its_grid_and_loses_nothing():
    region = Bounds(-24, 40, 160, 96)
    found = Bounds(3, 20, 50, 500).within(region, 8)
    assert found == Bounds(0, 40, 56, 96)
    assert Bounds(3, 20, 50, 20).within(region, 8) is None
    assert found.seen_from(region) == Bounds(24, 0, 56, 96)


def test_a_kernel_larger_than_the_frame_wraps_around():
    kernel, size = random(9, 9), (6, 8)
    frame = torch.zeros(size)
    for row in range(9):
        for column in range(9):
            frame[(row - 4) % 6, (column - 4) % 8] += kernel[row, column]
    back = torch.fft.irfft2(Complex().of_kernel(kernel, size), s=size)
    assert torch.allclose(back, frame, atol=1e-5)


@pytest.mark.parametrize("size", [(6, 8), (16, 12), (7, 9), (48, 5), (2, 2)])
def test_packed_transforms_blur_with_a_symmetric_kernel_as_complex_ones_do(size):
    planes, kernel = random(3, *size), random(5, 5)
    kernel = kernel + kernel.flip(0, 1)
    ways = (Packed(), Complex())
    packed, plain = (
        way.back(way.forth(planes) * way.of_kernel(kernel, size), size) for way in ways
    )
    assert torch.allclose(packed, plain, atol=1e-4)


def test_a_window_past_the_frame_is_mirrored_like_numpys_symmetric_padding():
    image = random(5, 7, 3)
    seen = window(image, Bounds(-12, -9, 30, 28), CPU).permute(1, 2, 0)
    padded = np.pad(image.numpy(), ((12, 13), (9, 12), (0, 0)), mode="symmetric")
    np.testing.assert_array_equal(seen.numpy(), padded)


def test_fast_sizes_are_products_of_small_primes():
    assert [fast_size(n, 16) for n in (1, 16, 17, 16 * 7, 16 * 11)] == [16, 16, 32, 128, 192]


@pytest.mark.parametrize("count", [3, MOST_PLANES + 1])
@pytest.mark.parametrize("size", [(2, 2), (8, 10), (1, 6)])
def test_halving_and_doubling_are_the_block_mean_and_bilinear(size, count):
    """By OpenCV, and of more planes by torch."""
    planes = random(count, *size)
    expected = F.interpolate(planes[None], scale_factor=2, mode="bilinear")[0]
    torch.testing.assert_close(doubled(planes), expected)
    torch.testing.assert_close(halved(doubled(planes)).mean(), planes.mean(), atol=0.2, rtol=0)
    if size[0] % 2 == 0:
        torch.testing.assert_close(halved(planes), F.avg_pool2d(planes[None], 2)[0])


@pytest.mark.parametrize("quality", [FULL, PREVIEW])
@pytest.mark.parametrize("largest", [0.0, 0.4, 7.0, 48.0, 900.0])
def test_the_radii_end_at_the_largest_and_their_shares_keep_the_variance(quality, largest):
    radii = BlurRadii.up_to(largest, quality)
    assert radii.values[-1] == (max(largest, quality.first) if largest else 0.0)
    assert list(radii.values) == sorted(radii.values)
    coc = torch.linspace(0, largest, 50)[None, None]
    rises = [radii.rise(coc * coc, i) for i in range(len(radii.values) + 1)]
    shares = [above - beyond for above, beyond in itertools.pairwise(rises)]
    total = sum(shares) + torch.zeros_like(coc)
    torch.testing.assert_close(total, torch.ones_like(coc))
    variance = sum(s * fourfold_variance(r) for s, r in zip(shares, radii.values, strict=True))
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


@pytest.mark.parametrize("radius", [*BlurRadii.up_to(9.0, FULL).values[1:], 20.0])
def test_discs_are_as_wide_as_the_radii_count_on(radius):
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


@pytest.mark.parametrize("band", [8, 16, 32])
def test_dense_hair_is_not_doubt_and_a_soft_edge_is(band):
    size, cell = 256, band // 2
    soft = torch.linspace(0.1, 0.9, size)[None, None].expand(1, size, size).contiguous()
    strands = 0.5 + 0.4 * torch.cos(torch.arange(0, size) * (2 * math.pi / (cell / 4 * 2.5)))
    hair = strands[None, None].expand(1, size, size).contiguous()
    assert undecided(hair, band) is None
    found = undecided(soft, band)
    assert found is not None
    assert float(found.mean()) > 0.9
