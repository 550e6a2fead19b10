"""What must hold for any picture: identity, energy, invariance, monotony, no NaN."""

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bokeh_core.binned_gaussian import BinnedGaussian
from bokeh_core.errors import Cancelled, InputError, OutOfMemory
from bokeh_core.lens import Lens
from bokeh_core.maps import Analysis
from bokeh_core.picture import Picture
from bokeh_core.rendering import (
    Bounds,
    lens_blur,
    prepare,
    pyramid,
    render,
    render_prepared,
    render_tiles,
)
from bokeh_core.rendering.api import graded, part_taker
from bokeh_core.rendering.tiles import tiles

LOOKS = [
    Lens(focus=0.6, max_coc=24.0),
    Lens(focus=0.1, max_coc=24.0, blades=5, rotation=0.3, keep_subject_sharp=True),
    Lens(focus=0.3, max_coc=24.0, cat_eye=0.8, squeeze=1.5, fringe=0.1, ring=0.5),
    BinnedGaussian(strength=6.0),
]


def scene(height=96, width=120, seed=0):
    """Soft-edged subject before a slanted scene with something near; textured."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    rgb = rng.uniform(0, 1, (height, width, 3)).astype(np.float32)
    distance = np.hypot(x - 0.5 * width, y - 0.7 * height)
    matte = np.clip(0.5 + (0.3 * height - distance) / 3, 0, 1).astype(np.float32)
    depth = np.where(matte > 0.5, 0.6, 0.05 + 0.3 * y / height).astype(np.float32)
    near = x > 0.88 * width
    depth[near] = 0.95
    matte[near] = 0
    return rgb, depth, matte


def named_scene():
    return dict(zip(("rgb", "depth", "matte"), scene(), strict=True))


def one_of(value):
    rgb = np.full((96, 120, 3), 0.5, np.float32)
    rgb[3, 4] = value
    return rgb


def encoded(linear):
    return np.clip(linear, 0, 1) ** (1 / 2.2)


@pytest.mark.parametrize("look", LOOKS, ids=["disc", "polygon", "exotic", "paper"])
@pytest.mark.parametrize("with_matte", [True, False])
def test_a_constant_picture_stays_constant(look, with_matte):
    _, depth, matte = scene()
    rgb = np.full((*depth.shape, 3), 0.37, np.float32)
    out = render(rgb, depth=depth, matte=matte if with_matte else None, lens=look)
    np.testing.assert_allclose(out, rgb, atol=2e-5)


def test_what_is_in_focus_is_untouched_to_the_last_bit():
    rgb, depth, matte = scene()
    hard = (matte > 0.5).astype(np.float32)
    far_from_near = np.arange(depth.shape[1]) < 0.88 * depth.shape[1] - 24
    out = render(rgb, depth=depth, matte=hard, lens=Lens(focus=0.6, max_coc=24.0))
    kept = (hard == 1) & far_from_near
    assert kept.sum() > 500
    np.testing.assert_array_equal(out[kept], rgb[kept])
    assert np.abs(out[hard == 0] - rgb[hard == 0]).mean() > 0.05


def test_a_zero_blur_is_the_identity():
    rgb, depth, matte = scene()
    out = render(rgb, depth=depth, matte=np.round(matte), lens=Lens(focus=0.5, max_coc=0.0))
    np.testing.assert_array_equal(out, rgb)
    out = render(
        rgb, depth=depth, matte=np.round(matte), lens=Lens(focus=0.5, focus_range=1.0, max_coc=30)
    )
    np.testing.assert_array_equal(out, rgb)


@pytest.mark.parametrize("blades", [0, 6, 5])
@pytest.mark.parametrize("radius", [1.0, 2.2, 4.7, 10.0, 21.0])
def test_a_light_keeps_its_energy(blades, radius):
    rgb = np.zeros((140, 140, 3), np.float32)
    rgb[70, 71] = (900.0, 500.0, 100.0)
    depth = np.zeros((140, 140), np.float32)
    out = render(rgb, depth=depth, matte=None, lens=Lens(focus=1.0, max_coc=radius, blades=blades))
    np.testing.assert_allclose(out.sum((0, 1)), rgb.sum((0, 1)), rtol=2e-3)


def spot(lens, size=161):
    rgb = np.zeros((size, size, 3), np.float32)
    rgb[size // 2, size // 2] = 1000.0
    return render(rgb, depth=np.zeros((size, size), np.float32), matte=None, lens=lens)[..., 1]


def second_moments(image):
    centre = image.shape[0] // 2
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] - centre
    total = image.sum()
    return (image * x * x).sum() / total, (image * y * y).sum() / total


@pytest.mark.parametrize("radius", [2.0, 3.3, 6.0, 9.1, 17.0, 30.0])
def test_a_disc_is_as_wide_as_its_radius_says(radius):
    xx, yy = second_moments(spot(Lens(focus=1.0, max_coc=radius)))
    meant = radius**2 / 4 + 1 / 12  # the disc's, and that of the pixel that is spread
    assert xx == pytest.approx(meant, rel=0.05)
    assert yy == pytest.approx(meant, rel=0.05)


def test_the_first_vertex_of_a_polygon_is_where_rotation_says():
    radius = 24.0
    triangle = spot(Lens(focus=1.0, max_coc=radius, blades=3, rotation=np.pi / 2))
    rows = np.nonzero(triangle.max(axis=1) > 0.1 * triangle.max())[0] - 80
    assert rows.max() == pytest.approx(radius, abs=3)  # vertex below: y points down
    assert rows.min() == pytest.approx(-radius / 2, abs=3)


@pytest.mark.parametrize(("radius", "side"), [(12.0, 1), (24.0, 2), (40.0, 4)])
def test_in_front_of_the_focus_the_aperture_is_turned_by_180_degrees(radius, side):
    # a light as large as the blocks of the reduction its radius is blurred at; smaller ones are
    # displaced by up to half a block
    size = 192
    rgb = np.zeros((size, size, 3), np.float32)
    rgb[96 : 96 + side, 96 : 96 + side] = 1000.0
    shape = {"max_coc": radius, "blades": 3, "rotation": np.pi / 2}
    far = render(
        rgb, depth=np.zeros((size, size), np.float32), matte=None, lens=Lens(focus=1.0, **shape)
    )
    near = render(
        rgb, depth=np.ones((size, size), np.float32), matte=None, lens=Lens(focus=0.0, **shape)
    )
    turned = np.roll(near[::-1, ::-1], (side, side), (0, 1))
    assert np.abs(turned - far).sum() < 1e-3 * far.sum()


def test_squeeze_ring_and_kernel_shape_the_spot():
    base = {"focus": 1.0, "max_coc": 20.0}
    xx, yy = second_moments(spot(Lens(**base, squeeze=1.6)))
    assert yy / xx == pytest.approx(1.6**2, rel=0.08)
    plain, soap, smooth = (spot(Lens(**base, ring=ring)) for ring in (0.0, 1.0, -1.0))
    assert soap[80, 80] < 0.4 * plain[80, 80] < 0.4 * smooth[80, 80]
    heart = np.zeros((9, 9))
    heart[:, :4] = 1
    image = spot(Lens(**base, kernel=heart))
    assert image[:, :80].sum() > 0.94 * image.sum()
    turned = spot(Lens(**base, kernel=np.ones((8, 8)), rotation=np.pi / 4))
    columns = np.flatnonzero(turned.max(axis=0) > 0.1 * turned.max())
    assert columns[-1] - columns[0] == pytest.approx(2 * 20 * np.sqrt(2), abs=3)  # not cropped


def test_curvature_goes_from_polygon_to_disc():
    base = {"focus": 1.0, "max_coc": 24.0}
    areas = [(spot(Lens(**base, blades=4, curvature=c)) > 0.2).sum() for c in (0.0, 0.5, 1.0)]
    assert areas == sorted(areas)
    disc = spot(Lens(**base))
    np.testing.assert_allclose(spot(Lens(**base, blades=4, curvature=1.0)), disc, atol=1e-3)


def test_cat_eye_narrows_the_discs_in_the_corner_towards_the_centre_only():
    lens = Lens(focus=1.0, max_coc=14.0, cat_eye=0.9)
    depth = np.zeros((200, 200), np.float32)

    def area(row, column):
        rgb = np.zeros((200, 200, 3), np.float32)
        rgb[row, column] = 1000.0
        out = render(rgb, depth=depth, matte=None, lens=lens)[..., 1]
        # kernels that differ from place to place cannot keep the energy of every light and every
        # even surface even; the surface comes first
        assert out.sum() == pytest.approx(1000.0, rel=0.1)
        return (out > 0.3 * out.max()).sum()

    assert area(30, 30) < 0.8 * area(100, 100)


def test_fringe_makes_red_wider_than_blue():
    rgb = np.zeros((121, 121, 3), np.float32)
    rgb[60, 60] = 1000.0
    out = render(
        rgb,
        depth=np.zeros((121, 121), np.float32),
        matte=None,
        lens=Lens(focus=1, max_coc=20, fringe=0.2),
    )
    red, green, blue = (second_moments(out[..., c])[0] for c in range(3))
    assert red > 1.2 * green > 1.2 * 1.2 * blue


def test_more_blur_leaves_less_detail():
    rgb, depth, matte = scene(seed=3)
    blurred = (matte == 0) & (depth < 0.5)
    spreads = [
        render(rgb, depth=depth, matte=matte, lens=Lens(focus=0.6, max_coc=k))[blurred].std()
        for k in (0.0, 4.0, 8.0, 16.0, 32.0)
    ]
    assert spreads == sorted(spreads, reverse=True)


@pytest.mark.parametrize("turn", [np.rot90, lambda a: a[:, ::-1], lambda a: a[::-1]])
@pytest.mark.parametrize("look", [LOOKS[0], LOOKS[3]], ids=["lens", "paper"])
def test_turned_pictures_give_turned_results(turn, look):
    rgb, depth, matte = scene(96, 128)
    straight = render(rgb, depth=depth, matte=matte, lens=look)
    named = {"rgb": rgb, "depth": depth, "matte": matte}
    turned = render(**{n: np.ascontiguousarray(turn(a)) for n, a in named.items()}, lens=look)
    difference = np.abs(encoded(turned) - encoded(turn(straight)))
    assert difference.mean() < 0.5 / 255
    assert np.quantile(difference, 0.99) < 4 / 255


@pytest.mark.parametrize("look", LOOKS, ids=["disc", "polygon", "exotic", "paper"])
def test_tiles_do_not_show(look):
    rgb, depth, matte = scene(220, 260)
    whole = render(rgb, depth=depth, matte=matte, lens=look, tile=1024)
    tiled = render(rgb, depth=depth, matte=matte, lens=look, tile=64)
    assert np.abs(encoded(whole) - encoded(tiled)).max() <= 1 / 255


def test_tiles_do_not_show_where_each_has_kernels_of_its_own(monkeypatch):
    rgb, depth, matte = scene(320, 400)
    whole = render(rgb, depth=depth, matte=matte, lens=LOOKS[2], tile=1024)
    monkeypatch.setattr("bokeh_core.rendering.tiles.NARROWEST", 48)
    parted = render(rgb, depth=depth, matte=matte, lens=LOOKS[2], tile=64)
    assert np.abs(encoded(whole) - encoded(parted)).max() <= 1 / 255


def test_tiles_do_not_show_where_a_matte_is_half_transparent_over_many_of_them():
    rgb, depth, _ = scene(320, 320)
    matte = np.zeros((320, 320), np.float32)
    matte[:120, 60:] = 1.0
    matte[120:, 60:] = 0.4
    depth = np.where(matte == 1.0, 0.5, np.where(matte > 0, 0.9, depth)).astype(np.float32)
    look = Lens(focus=0.5, max_coc=10.0, keep_subject_sharp=True)
    whole = render(rgb, depth=depth, matte=matte, lens=look, tile=1024)
    tiled = render(rgb, depth=depth, matte=matte, lens=look, tile=64)
    assert np.abs(encoded(whole) - encoded(tiled)).max() <= 1 / 255


@pytest.mark.parametrize("look", [LOOKS[1], LOOKS[3]], ids=["disc", "paper"])
def test_tiles_given_away_make_up_the_same_picture_each_pixel_once(look):
    rgb, depth, matte = scene(300, 260)
    out, count = np.zeros_like(rgb), np.zeros(depth.shape, int)
    lock = threading.Lock()

    def put(place, pixels):
        with lock:
            out[place] = pixels
            count[place] += 1

    render_tiles(put, rgb, depth=depth, matte=matte, lens=look, tile=64)
    np.testing.assert_array_equal(out, render(rgb, depth=depth, matte=matte, lens=look, tile=64))
    assert (count == 1).all()


def test_an_error_where_a_tile_is_put_stops_the_call():
    def full(place, pixels):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        render_tiles(full, **named_scene(), lens=LOOKS[0])


def test_the_pictures_and_maps_given_are_left_as_they_are():
    given = scene()
    before = [plane.copy() for plane in given]
    soft = cv2.GaussianBlur(given[1], (0, 0), 3.0)
    softer = soft.copy()
    render(given[0], depth=given[1], matte=given[2], lens=LOOKS[0])
    render(given[0], depth=soft, matte=given[2], lens=LOOKS[0])  # depth that is cleaned first
    for plane, kept in zip((*given, soft), (*before, softer), strict=True):
        np.testing.assert_array_equal(plane, kept)


def test_a_prepared_picture_serves_several_threads():
    rgb, depth, matte = scene(200, 220)
    prepared = prepare(rgb, depth=depth, matte=matte, max_coc=24.0, tile=64)
    lenses = [Lens(focus=focus, max_coc=24.0) for focus in (0.2, 0.8)]
    alone = [render(rgb, depth=depth, matte=matte, lens=lens, tile=64) for lens in lenses]
    for _ in range(3):
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda lens: render_prepared(prepared, lens), lenses))
        for one, other in zip(alone, found, strict=True):
            np.testing.assert_array_equal(one, other)


def test_surfaces_kept_are_those_of_the_last_reach_only():
    prepared = prepare(**named_scene(), max_coc=24.0)
    room = prepared.frame.keep
    for squeeze in (1.0, 1.3, 2.0):
        render_prepared(prepared, Lens(max_coc=24.0, squeeze=squeeze))
        kept = sum(s.nbytes for cut in prepared.frame._kept.values() for s in cut)
        assert 0 < kept == room - prepared.frame.keep


@pytest.mark.parametrize(
    "failure", [MemoryError("tile"), RuntimeError("... can't allocate memory")]
)
def test_where_memory_runs_out_smaller_tiles_give_the_same_picture(monkeypatch, failure):
    rgb, depth, matte = scene(300, 260)
    expected = render(rgb, depth=depth, matte=matte, lens=LOOKS[0], tile=64)
    real, sizes = lens_blur.composite, []

    def composite(layers, blur, field, core, step):
        sizes.append(core.height)
        if core.height > 96:
            raise failure
        return real(layers, blur, field, core, step)

    monkeypatch.setattr(lens_blur, "composite", composite)
    out = render(rgb, depth=depth, matte=matte, lens=LOOKS[0])
    np.testing.assert_allclose(encoded(out), encoded(expected), atol=1 / 255)
    assert max(sizes) > 96 >= min(sizes)


def test_no_room_even_for_small_tiles_is_told(monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(lens_blur, "composite", full)
    with pytest.raises(OutOfMemory, match="even for a 75-pixel tile"):
        render(**named_scene(), lens=LOOKS[0], tile=150)


@pytest.mark.parametrize("where", ["progress", "put"])
def test_a_callers_own_memory_error_is_his(where):
    calls = []

    def full(*_):
        calls.append(1)
        raise MemoryError("mine")

    callbacks = {"put": lambda *_: None, "progress": lambda *_: None} | {where: full}
    with pytest.raises(MemoryError, match="mine"):
        render_tiles(
            callbacks["put"], **named_scene(), lens=LOOKS[0], progress=callbacks["progress"]
        )
    assert len(calls) == 1


@pytest.mark.parametrize("radius", [1e-40, 1e-20, 1e-4])
def test_a_blur_nobody_can_see_is_none(radius):
    rgb, depth, matte = scene()
    out = render(rgb, depth=depth, matte=matte, lens=Lens(focus=0.5, max_coc=radius))
    np.testing.assert_array_equal(out, rgb)


def test_a_prepared_picture_renders_the_same_for_every_lens():
    rgb, depth, matte = scene()
    prepared = prepare(rgb, depth=depth, matte=matte, max_coc=24.0)
    for lens in (LOOKS[0], LOOKS[1], dataclasses.replace(LOOKS[0], focus=0.2)):
        for _ in range(2):
            np.testing.assert_array_equal(
                render_prepared(prepared, lens), render(rgb, depth=depth, matte=matte, lens=lens)
            )
    with pytest.raises(InputError, match="max_coc must be at most 32"):
        render_prepared(prepared, Lens(max_coc=33.0))


def test_a_picture_is_made_ready_alike_for_blurs_within_half_a_stop():
    rgb, depth, matte = scene()
    prepared = prepare(rgb, depth=depth, matte=matte, max_coc=23.0)
    for radius in (23.0, 27.0, 32.0):
        lens = dataclasses.replace(LOOKS[0], max_coc=radius)
        np.testing.assert_array_equal(
            render_prepared(prepared, lens), render(rgb, depth=depth, matte=matte, lens=lens)
        )
    assert graded(graded(33.0)) == graded(33.0) == pytest.approx(45.25, abs=0.01)
    assert graded(0.0) == 0.0


def test_keep_subject_sharp_holds_whatever_the_depth_says():
    rgb, _, matte = scene()
    depth = np.random.default_rng(5).uniform(0, 1, matte.shape).astype(np.float32)
    for focus in (0.0, 0.5, 1.0):
        out = render(rgb, depth=depth, matte=matte, lens=Lens(focus=focus, keep_subject_sharp=True))
        np.testing.assert_array_equal(out[matte == 1], rgb[matte == 1])


def test_what_a_doubtful_matte_shows_is_blurred_by_its_own_depth():
    # bright and in focus, before something dark that is cut much coarser
    rgb = np.full((320, 320, 3), 0.01, np.float32)
    inside = (slice(96, 224), slice(96, 224))
    rgb[inside] = 1.0
    depth, matte = np.zeros((320, 320), np.float32), np.zeros((320, 320), np.float32)
    depth[inside] = 0.8
    matte[inside] = 0.9
    for sharp in (True, False):
        out = render(
            rgb,
            depth=depth,
            matte=matte,
            lens=Lens(focus=0.8, max_coc=60.0, keep_subject_sharp=sharp),
        )
        outside = np.ones((320, 320), bool)
        outside[88:232, 88:232] = False
        assert out[outside].max() < 0.02
        assert out[120:200, 120:200].min() > 0.9


def test_no_light_comes_through_the_rim_of_a_doubt():
    # one dark thing before a bright wall: solid, undecided and clear in the matte, side by side
    rgb = np.ones((256, 384, 3), np.float32)
    depth, matte = np.zeros((256, 384), np.float32), np.zeros((256, 384), np.float32)
    thing = (slice(64, 192), slice(64, 320))
    rgb[thing], depth[thing] = 0.02, 0.8
    matte[64:192, 64:160] = 1.0
    matte[64:192, 160:224] = 0.5
    out = render(
        rgb, depth=depth, matte=matte, lens=Lens(focus=0.7, max_coc=60.0, keep_subject_sharp=True)
    )
    assert out[88:168, 88:296].max() < 0.08  # .17 without its surroundings


def test_foreground_zero_leaves_what_is_in_front_alone():
    rgb, depth, matte = scene()
    out = render(
        rgb, depth=depth, matte=np.round(matte), lens=Lens(focus=0.6, max_coc=24.0, foreground=0.0)
    )
    near = depth == np.float32(0.95)
    np.testing.assert_array_equal(out[near], rgb[near])


def test_highlights_are_given_back_to_small_lamps_out_of_focus_only():
    rgb = np.full((160, 160, 3), 0.05, np.float32)
    rgb[40:43, 40:43] = 1.0  # lamp
    rgb[:, 110:] = 1.0  # wall
    depth = np.zeros((160, 160), np.float32)
    lens = Lens(focus=1.0, max_coc=8.0)
    plain = render(rgb, depth=depth, matte=None, lens=lens)
    bright = render(
        rgb, depth=depth, matte=None, lens=dataclasses.replace(lens, highlight_gain=4.0)
    )
    assert bright[41, 41, 0] > 1.5 * plain[41, 41, 0]
    np.testing.assert_allclose(bright[:, 130:], plain[:, 130:], atol=1e-3)
    sharp = render(rgb, depth=depth, matte=None, lens=Lens(focus=0.0, highlight_gain=4.0))
    np.testing.assert_array_equal(sharp, rgb)


def test_grain_is_put_back_where_blur_took_it_and_follows_the_seed():
    rng = np.random.default_rng(2)
    display = np.clip(0.5 + rng.normal(0, 0.03, (160, 200, 3)), 0, 1)
    rgb = (display**2.2).astype(np.float32)
    depth = np.zeros((160, 200), np.float32)
    depth[:, 100:] = 1.0
    lens = Lens(focus=1.0, max_coc=12.0, grain=1.0, grain_seed=4)
    out = render(rgb, depth=depth, matte=None, lens=lens)
    assert encoded(out[:, :80]).std() == pytest.approx(0.03, rel=0.3)
    np.testing.assert_array_equal(out[:, 130:], rgb[:, 130:])
    np.testing.assert_allclose(
        out, render(rgb, depth=depth, matte=None, lens=lens, tile=64), atol=1e-5
    )
    other = render(rgb, depth=depth, matte=None, lens=dataclasses.replace(lens, grain_seed=5))
    assert np.abs(other - out).max() > 0.01


@pytest.mark.parametrize("size", [(203, 317), (96, 1), (1500, 130)])
@pytest.mark.parametrize("max_coc", [40.0, 80.0])
def test_pictures_of_any_size_can_be_cut_from_reduced_ones(size, max_coc, monkeypatch):
    rgb, depth, matte = scene(*size)
    rgb[size[0] // 2, : size[1] // 3] = 1.0
    lens = Lens(focus=0.6, max_coc=max_coc, highlight_gain=2.0)
    for tile in (None, 64):
        whole = render(rgb, depth=depth, matte=matte, lens=lens, tile=tile)
        with monkeypatch.context() as patch:
            patch.setattr(lens_blur, "LARGE", 0)
            patch.setattr(pyramid, "sweep", lambda _: 112)
            cut = render(rgb, depth=depth, matte=matte, lens=lens, tile=tile)
        assert np.isfinite(cut).all()
        assert np.abs(encoded(cut) - encoded(whole)).mean() < 2 / 255


finite = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 33), st.integers(1, 33), st.just(3)),
    elements=st.floats(0, 1, width=32),
)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(rgb=finite, data=st.data())
def test_finite_input_gives_finite_output(rgb, data):
    rgb.reshape(-1)[: rgb.size // 3] *= 65504  # highlights, but not most of the picture
    unit = arrays.arrays(np.float32, rgb.shape[:2], elements=st.floats(0, 1, width=32))
    depth, matte = data.draw(unit), data.draw(st.none() | unit)
    look = data.draw(st.sampled_from([*LOOKS, Lens(grain=1.0, highlight_gain=2.0, max_coc=200)]))
    out = render(rgb, depth=depth, matte=matte, lens=look)
    assert out.shape == rgb.shape
    assert out.dtype == np.float32
    assert np.isfinite(out).all()


def test_cancelling_from_the_progress_callback_stops_the_call():
    rgb, depth, matte = scene(200, 200)
    seen = []

    def stop(stage, fraction):
        seen.append((stage, fraction))
        if len(seen) == 3:
            raise Cancelled("enough")

    for look in (Lens(), BinnedGaussian()):
        seen.clear()
        with pytest.raises(Cancelled, match="enough"):
            render(rgb, depth=depth, matte=matte, lens=look, progress=stop, tile=64)
        assert len(seen) == 3


def test_progress_rises_to_one():
    rgb, depth, matte = scene(200, 200)
    seen = []
    render(
        rgb,
        depth=depth,
        matte=matte,
        lens=Lens(),
        progress=lambda s, f: seen.append((s, f)),
        tile=64,
    )
    fractions = [f for _, f in seen]
    assert {s for s, _ in seen} == {"render"}
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rgb": np.zeros((4, 4), np.float32)}, r"rgb must have shape \(H, W, 3\), got \(4, 4\)"),
        (
            {"rgb": np.zeros((4, 4, 3), np.uint8)},
            "uint8: bokeh_core.picture.to_linear.array. makes light",
        ),
        ({"depth": np.zeros((96, 120), np.uint8)}, "depth .* got uint8: divide by 255"),
        ({"matte": np.zeros((96, 120), np.uint16)}, "matte .* got uint16: divide by 65535"),
        ({"matte": np.zeros((96, 120), bool)}, r"matte .* got bool: take .astype\(numpy.float32\)"),
        ({"rgb": np.zeros((3, 96, 120), np.float32)}, r"got \(3, 96, 120\): numpy.moveaxis"),
        ({"rgb": np.zeros((96, 120, 4), np.float32)}, r"got \(96, 120, 4\): leave alpha out"),
        ({"depth": np.zeros((96, 120, 1), np.float32)}, r"got \(96, 120, 1\): take \[..., 0\]"),
        ({"rgb": torch.zeros(3, 96, 120)}, r"got Tensor: .*\.cpu\(\)\.numpy\(\)"),
        ({"rgb": Picture(np.zeros((96, 120, 3), np.uint8))}, r"got Picture: take .linear\(\)"),
        ({"rgb": "photo.jpg"}, r"got str: bokeh_core.picture.read\(path\).linear\(\)"),
        ({"rgb": [[1.0]]}, r"got list: numpy.asarray"),
        ({"rgb": scene()[0] * 255}, "look like codes .* divide codes by 255 .*to_linear"),
        ({"maps": scene()[1]}, r"analyse\(\) returned; name maps .* depth=..., matte=..."),
        ({"depth": None}, r"depth is needed: depth=..., or the result of analyse"),
        ({"rgb": np.full((96, 120, 3), np.nan, np.float32)}, "finite"),
        ({"rgb": np.full((96, 120, 3), 1e6, np.float32)}, "look like codes of a file, up to 1e"),
        ({"rgb": one_of(1e6)}, "rgb must be 0 to 65504"),
        ({"depth": np.zeros((4, 4), np.float32)}, r"depth must be as large as rgb \(96, 120\)"),
        ({"depth": np.full((96, 120), 1.5, np.float32)}, "depth must be 0 to 1, got 1.5"),
        ({"depth": np.full((96, 120), 255.0, np.float32)}, "got 255 to 255: divide codes by 255"),
        ({"matte": np.full((96, 120), -0.5, np.float32)}, "matte must be 0 to 1"),
        ({"matte": np.zeros((0, 0), np.float32)}, r"matte must have shape"),
        ({"lens": {"focus": 0.5}}, "lens must be a Lens or BinnedGaussian, got dict"),
        ({"device": "abacus"}, "device abacus cannot be used"),
        ({"rgb": one_of(-0.5)}, "rgb must be 0 to 65504, got -0.5"),
        ({"tile": 100.5}, "tile must be a whole number"),
        ({"tile": 3}, "tile must be a whole number of at least"),
    ],
)
def test_bad_input_is_refused_with_what_is_wrong(change, message):
    rgb, depth, matte = scene()
    call = {"rgb": rgb, "depth": depth, "matte": matte, "lens": Lens()} | change
    with pytest.raises(InputError, match=message):
        render(**call)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("look", LOOKS, ids=["disc", "polygon", "exotic", "paper"])
def test_gpu_and_cpu_agree(look):
    rgb, depth, matte = scene(220, 260)
    cpu = render(rgb, depth=depth, matte=matte, lens=look, device="cpu")
    gpu = render(rgb, depth=depth, matte=matte, lens=look, device="cuda")
    assert np.abs(encoded(cpu) - encoded(gpu)).max() <= 1 / 255


def test_the_rim_of_a_blurred_near_thing_fades_out_in_every_tile():
    """A CoC between two radii reaches as far as the larger one; the rim was cut off before it."""
    depth = np.full((96, 900), 0.2, np.float32)
    depth[:, :113] = np.linspace(0.25, 0.5, 113)
    depth[:, 860:] = 0.9  # blurred more, so the near thing is not what the radii end at
    rgb = np.full((96, 900, 3), 0.002, np.float32)
    rgb[:, 110:113] = 50.0
    lens = Lens(focus=0.2, max_coc=60.0)
    matte = np.zeros((96, 900), np.float32)
    whole, tiled = (
        render(rgb, depth=depth, matte=matte, lens=lens, tile=tile) for tile in (None, 128)
    )
    assert 0.01 < whole[48, 133, 0] < whole[48, 132, 0]
    np.testing.assert_allclose(tiled, whole, atol=2e-3)


@pytest.mark.parametrize("look", LOOKS, ids=["disc", "polygon", "exotic", "paper"])
@pytest.mark.parametrize("part", [(0, 0, 40, 50), (33, 41, 30, 29), (70, 1, 26, 119)])
def test_a_part_is_what_the_whole_has_there(look, part):
    rgb, depth, matte = scene()
    bounds = Bounds(*part)
    whole = render(rgb, depth=depth, matte=matte, lens=look, tile=64)
    out = np.full((bounds.height, bounds.width, 3), np.nan, np.float32)
    maps = {"depth": depth, "matte": matte}
    render_tiles(part_taker(out, bounds), rgb, **maps, lens=look, tile=64, part=bounds)
    expected = whole[bounds.top : bounds.bottom, bounds.left : bounds.right]
    np.testing.assert_array_equal(out, expected)


@pytest.mark.slow
def test_parts_of_a_large_picture_share_what_was_reduced_for_others():
    rgb, depth, matte = scene(1300, 2000)
    lens = Lens(focus=0.6, max_coc=70.0, highlight_gain=2.0)
    whole = render(rgb, depth=depth, matte=matte, lens=lens)
    prepared = prepare(rgb, depth=depth, matte=matte, max_coc=70.0, keep_bytes=0)
    for top, left in ((0, 0), (900, 1500), (400, 800)):
        part = Bounds(top, left, 300, 400)
        out = render_prepared(prepared, lens, part=part)
        expected = whole[top : top + 300, left : left + 400]
        np.testing.assert_array_equal(out, expected)
    assert len(prepared.frame.pyramid._done) > 1
    assert 1 < len(prepared.frame.finished) < len(tiles(1300, 2000, 384, 16))


@pytest.mark.parametrize("part", [(0, 0, 97, 10), (-1, 0, 5, 5), (0, 0, 0, 5), (95, 119, 1, 2)])
def test_a_part_outside_of_the_picture_is_refused(part):
    rgb, depth, _ = scene()
    with pytest.raises(InputError, match="not within the picture of 120 x 96"):
        render_tiles(print, rgb, depth=depth, lens=Lens(), part=Bounds(*part))


def test_the_result_of_analyse_is_taken_whole_and_a_named_map_comes_first():
    rgb, depth, matte = scene()
    found = Analysis(matte=matte, depth=depth)
    expected = render(rgb, depth=depth, matte=matte, lens=LOOKS[0])
    np.testing.assert_array_equal(render(rgb, found, lens=LOOKS[0]), expected)
    flat = np.full_like(depth, 0.3)
    expected = render(rgb, depth=flat, matte=matte, lens=LOOKS[0])
    np.testing.assert_array_equal(render(rgb, found, depth=flat, lens=LOOKS[0]), expected)


def test_maps_by_position_are_refused():
    with pytest.raises(TypeError, match="positional"):
        render(*scene(), LOOKS[0])
