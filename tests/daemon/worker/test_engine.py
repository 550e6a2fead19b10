"""The real engine: bokeh_core through the pipeline, every step cached by content."""

from __future__ import annotations

import base64
import dataclasses
import hashlib

import cv2
import msgspec
import numpy as np
import pytest
import torch

from bokeh_core import lens as library
from bokeh_core import picture, samples
from bokeh_core.depth import estimate_depth
from bokeh_core.errors import Cancelled, InputError, ModelMissing
from bokeh_core.networks import hub, registry
from bokeh_core.networks.records import FAMILY, ModelRecord
from bokeh_core.networks.unet import UNet, UNetConfig
from bokeh_core.picture import to_linear
from bokeh_core.rendering import render
from daemon.client.client import RenderRequest
from daemon.wire import checks
from daemon.wire import lens as wire_lens
from daemon.wire.planes import Map, Region
from daemon.wire.refusal import Refused
from daemon.wire.stages import STAGES
from daemon.wire.strokes import Stroke
from daemon.worker import engine as engine_module
from daemon.worker.engine_api import PlanesMissing, WrongField
from tests.bokeh_core.picture.corpus import made

HEIGHT, WIDTH = 48, 64
POINT = wire_lens.Lens(focus_point=(0.5, 0.5))


@pytest.fixture(scope="module")
def engine():
    return engine_module.create(64 << 20, "cpu")


@pytest.fixture(scope="module")
def photo():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    shade = np.stack([4 * x, 5 * y, 2 * x + 2 * y], -1) % 256
    return shade.astype(np.uint8)


@pytest.fixture(scope="module")
def maps():
    x = np.linspace(0, 255, WIDTH).astype(np.uint8)
    depth = np.tile(x, (HEIGHT, 1))
    matte = np.where(depth > 128, 255, 0).astype(np.uint8)
    return {"matte": matte, "depth": depth}


def run(engine, job, *, pixels=True, report=lambda *_: None):
    request, planes = job.message("t")
    frames = {name: plane.data.cast("B") for name, plane in planes.items()} if pixels else {}
    outcome = engine.run("", request, frames, report)
    return dict(zip([p.name for p in outcome.planes], outcome.pixels, strict=True)), outcome


def test_the_composite_is_what_the_library_renders(engine, photo, maps):
    lens = wire_lens.Lens(focus=1.0, max_coc=6)
    planes, outcome = run(engine, RenderRequest(photo, **maps, lens=lens))
    light = to_linear(photo)
    expected = render(
        light,
        depth=to_linear(maps["depth"], "linear"),
        matte=to_linear(maps["matte"], "linear"),
        lens=library.Lens(focus=1.0, max_coc=6),
        device="cpu",
    )
    difference = to_linear(planes["composite"]) - expected
    assert np.abs(difference).max() < 0.01
    assert outcome.focus == 1.0
    np.testing.assert_array_equal(planes["matte"], maps["matte"])
    np.testing.assert_array_equal(planes["depth"], maps["depth"])


@pytest.mark.parametrize(
    ("asked", "notes"),
    [
        ({}, ["no person found: focused by depth"]),
        ({"lens": wire_lens.BinnedGaussian()}, ["no person found: focused by depth"]),
        ({"subject": "pets"}, ["no animal found: focused by depth"]),
        ({"lens": wire_lens.Lens(focus=0.4)}, ["no person found"]),
        ({"subject": "at_focus_point", "lens": POINT}, ["no person found"]),
        ({"want": ["depth"]}, ["no person found"]),
        ({"subject": "none"}, []),
    ],
)
def test_a_picture_of_nobody_comes_with_a_note(engine, asked, notes):
    wall = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    job = RenderRequest(wall, **asked)
    assert run(engine, job)[1].notes == notes
    again = run(engine, dataclasses.replace(job, map_dtype="f32"))[1]
    assert (again.notes, "analysis" in again.cached) == (notes, True)


def test_a_matte_that_was_given_needs_no_note(engine, photo, maps):
    assert run(engine, RenderRequest(photo, matte=0 * maps["matte"]))[1].notes == []


def test_a_depth_that_looks_inverted_gets_a_note(engine, photo):
    near = np.zeros((HEIGHT, WIDTH), np.float32)
    near[HEIGHT // 4 : -HEIGHT // 4, WIDTH // 4 : -WIDTH // 4] = 1.0
    slope = np.tile(np.linspace(0.2, 0.4, WIDTH, dtype=np.float32), (HEIGHT, 1))
    for depth, count in (
        (np.maximum(near, slope), 0),
        (1 - np.maximum(near, slope), 1),
        (slope, 0),
    ):
        notes = run(engine, RenderRequest(photo, matte=near, depth=depth))[1].notes
        assert len([note for note in notes if "is black near?" in note]) == count


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_what_is_in_focus_keeps_its_codes_and_alpha_passes(engine, maps, dtype, channels):
    noise = np.random.default_rng(5).random((HEIGHT, WIDTH, channels))
    image = (noise * 1.5 - 0.2).astype(np.float32)
    if dtype != np.float32:
        image = (noise * np.iinfo(dtype).max).astype(dtype)
    planes, _ = run(engine, RenderRequest(image, **maps, lens=wire_lens.Lens(max_coc=0)))
    np.testing.assert_array_equal(planes["composite"], image)


def test_a_second_look_skips_everything_but_the_blur(engine, photo):
    engine.free()
    _, first = run(engine, RenderRequest(photo))
    _, second = run(engine, RenderRequest(photo, lens=wire_lens.Lens(max_coc=9)), pixels=False)
    _, third = run(engine, RenderRequest(photo, lens=wire_lens.Lens(max_coc=9)), pixels=False)
    assert "networks" in first.timing
    assert first.cached == []
    assert second.cached == ["analysis"]
    assert "networks" not in second.timing
    assert third.cached == ["result"]


def test_a_preview_shares_the_analysis_and_has_its_size(engine, photo):
    engine.free()
    run(engine, RenderRequest(photo))
    planes, outcome = run(engine, RenderRequest(photo, preview=32), pixels=False)
    assert planes["composite"].shape == (24, 32, 3)
    assert planes["depth"].shape == (24, 32)
    assert outcome.cached == ["analysis"]
    again, outcome = run(
        engine, RenderRequest(photo, preview=32, lens=wire_lens.Lens(max_coc=3)), pixels=False
    )
    assert outcome.cached == ["prepared"]
    assert again["composite"].shape == (24, 32, 3)


def test_maps_come_back_in_the_type_asked_for(engine, photo, maps):
    planes, outcome = run(engine, RenderRequest(photo, **maps, map_dtype="u16", want=["depth"]))
    np.testing.assert_array_equal(planes["depth"], maps["depth"].astype(np.uint16) * 257)
    assert outcome.planes[0].dtype == "u16"


def test_nobody_as_subject_leaves_depth_alone(engine, photo, maps):
    planes, _ = run(engine, RenderRequest(photo, **maps, subject="none"))
    assert planes["matte"].max() == 0


def test_a_focus_point_sets_the_focus(engine, photo, maps):
    lens = wire_lens.Lens(focus_point=(0.999, 0.5))
    _, outcome = run(engine, RenderRequest(photo, **maps, lens=lens))
    assert outcome.focus == pytest.approx(1.0, abs=0.05)


THIN = {"f_number": 1.8, "focal_length_mm": 50, "sensor_width_mm": 36}


@pytest.mark.parametrize(
    ("lens", "distances", "focus", "reach"),
    [
        # depth goes over disparity: 0.25 is at 4 m where 1 is at 1 m
        ({}, {"focus_distance_m": 2}, "subject", 0.5),
        ({"focus": 0.25}, {"focus_distance_m": 2}, 0.25, 0.5),
        ({}, {"focus_distance_m": 4, "nearest_m": 1}, 0.25, 1.0),
        ({"focus": 0.25}, {"nearest_m": 1}, 0.25, 1.0),
        ({}, {"nearest_m": 1, "farthest_m": 4}, "subject", 0.75),
        ({"focus": 0.0}, {"nearest_m": 1}, 0.0, 1.0),
    ],
)
def test_camera_values_become_a_blur_radius(engine, photo, maps, lens, distances, focus, reach):
    shallow = {**maps, "depth": maps["depth"] // 2 + 20}
    shallow["depth"][:, -4:] = 255  # something nearer than the subject
    asked = RenderRequest(photo, **shallow, lens=wire_lens.Lens(**lens))
    camera = wire_lens.Camera(**THIN, **distances)
    _, plain = run(engine, asked)
    planes, outcome = run(engine, dataclasses.replace(asked, camera=camera))
    assert outcome.focus == pytest.approx(plain.focus if focus == "subject" else focus)
    assert outcome.focus < 0.9
    inverse = distances.get("nearest_m", 2) ** -1.0 - distances.get("farthest_m", np.inf) ** -1.0
    assert inverse == pytest.approx(reach), "of 1 / m, for one whole unit of depth"
    away = distances.get("farthest_m", np.inf) ** -1.0 + outcome.focus * inverse
    at = 1000 * (distances.get("focus_distance_m") or min(1e6, 1 / max(away, 1e-9)))
    radius = 0.5 * WIDTH / 36 * 50**2 / 1.8 * at / (at - 50) * inverse / 1000
    look = wire_lens.Lens(focus=outcome.focus, max_coc=radius)
    same, _ = run(engine, dataclasses.replace(asked, lens=look))
    difference = planes["composite"].astype(int) - same["composite"].astype(int)
    assert np.abs(difference).max() <= 1, "the same but for rounding"


@pytest.mark.parametrize(
    ("image", "transfer", "words"),
    [
        (np.float32(np.nan), "linear", "NaN or infinity"),
        (np.float32(np.inf), "linear", "NaN or infinity"),
        (np.float32(-np.inf), "linear", "NaN or infinity"),
        (np.float32(1e6), "linear", "at most 65504"),
        (np.float32(1e6), "srgb", "at most 65504"),
    ],
)
def test_a_value_that_no_light_has_is_refused(engine, photo, image, transfer, words):
    pixels = (photo / 255).astype(np.float32)
    pixels[7, 9, 1] = image
    with pytest.raises(WrongField, match=words) as refusal:
        run(engine, RenderRequest(pixels, transfer))
    assert (refusal.value.field, "rgb" in str(refusal.value)) == ("image", False)


@pytest.mark.parametrize("transfer", ["srgb", "linear"])
def test_floats_of_0_to_255_are_refused(engine, photo, transfer):
    codes = photo.astype(np.float32)
    for wrong in (codes, codes + 0.25, np.round(codes / 8)):
        with pytest.raises(WrongField, match="look like codes") as refusal:
            run(engine, RenderRequest(wrong, transfer))
        assert "255" in refusal.value.hint
    lamp = (photo / 255).astype(np.float32)
    lamp[:8] *= 60
    assert run(engine, RenderRequest(lamp, "linear"))[0], "lights are allowed to be bright"


def test_a_camera_that_blurs_too_much_is_named(engine, photo, maps):
    camera = wire_lens.Camera(
        f_number=0.01, focal_length_mm=200, sensor_width_mm=10, focus_distance_m=1
    )
    with pytest.raises(WrongField, match="stop down") as refusal:
        run(engine, RenderRequest(photo, **maps, camera=camera))
    assert refusal.value.field == "camera"


def test_the_papers_renderer_is_a_kind_of_lens(engine, photo, maps):
    planes, outcome = run(
        engine, RenderRequest(photo, **maps, lens=wire_lens.BinnedGaussian(strength=3))
    )
    assert outcome.focus is None
    assert planes["composite"].shape == photo.shape


def test_wrong_pixels_are_refused_before_they_enter_the_cache(engine, photo):
    request, _ = RenderRequest(photo + 1).message("t")
    with pytest.raises(WrongField, match="digest"):
        engine.run("", request, {"image": photo.data.cast("B")}, lambda *_: None)
    with pytest.raises(PlanesMissing):
        engine.run("", request, {}, lambda *_: None)


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.5, 1.5])
def test_an_impossible_map_is_named(engine, photo, maps, value):
    depth = np.full((HEIGHT, WIDTH), value, np.float32)
    with pytest.raises(InputError, match="depth"):
        run(engine, RenderRequest(photo, matte=maps["matte"], depth=depth))


def test_a_known_digest_of_another_size_is_refused(engine, photo, maps):
    run(engine, RenderRequest(photo, **maps))
    request, _ = RenderRequest(photo, **maps).message("t")
    image = msgspec.structs.replace(request.image, height=HEIGHT + 1)
    wrong = msgspec.structs.replace(request, image=image)
    with pytest.raises(WrongField, match=f"image is that of {3 * HEIGHT * WIDTH} bytes"):
        engine.run("", wrong, {}, lambda *_: None)


def test_models_that_were_fetched_are_offered(tmp_path, monkeypatch):
    monkeypatch.setattr(hub.platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    depth = hub.find("depth-anything-v2-small")

    def offered():
        models = engine_module.BokehEngine(1, "cpu").models
        return {(model.name, model.task, model.sha256) for model in models}

    embedded = offered()
    hub.folder(depth).mkdir(parents=True)
    (hub.folder(depth) / hub.WEIGHTS).touch()
    assert offered() == embedded, "half of it is not enough"
    (hub.folder(depth) / "config.json").touch()
    assert offered() - embedded == {(depth.name, "depth", depth.sha256)}


def test_the_matte_is_refined_as_the_request_says(engine):
    photo = picture.read(samples.ASTRONAUT).pixels
    mattes = {
        refine: run(engine, RenderRequest(photo, want=["matte"], refine=refine))[0]["matte"]
        for refine in ("hair", "guided", "border", "none")
    }
    assert len({matte.tobytes() for matte in mattes.values()}) == 4
    soft = {refine: ((matte > 20) & (matte < 235)).mean() for refine, matte in mattes.items()}
    assert soft["border"] < soft["none"]


def test_what_the_user_chose_is_used_from_the_next_photo_on(engine, photo, own_models):
    torch.manual_seed(0)
    usual = run(engine, RenderRequest(photo, want=["matte"]))[0]["matte"]
    network = UNet(UNetConfig("plain", width=4))
    torch.nn.init.constant_(network.decoder.mix[-1].bias, 9.0)  # everything is subject
    record = ModelRecord(
        *("mine", ("portrait",), FAMILY, "", "", 0, 64, "CC0", "", "", ""), variant=network.config
    )
    registry.export(record, network.state_dict())
    models = {model.name: model for model in engine_module.BokehEngine(1, "cpu").models}
    assert (models["mine"].task, models["mine"].licence) == ("matte", "CC0")
    registry.use("mine")
    chosen = run(engine, RenderRequest(photo, want=["matte"]))[0]["matte"]
    assert not np.array_equal(chosen, usual)
    named = run(engine, RenderRequest(photo, want=["matte"], matte_model="portrait"))[0]["matte"]
    assert np.array_equal(named, usual)
    registry.use("portrait")
    again = run(engine, RenderRequest(photo, want=["matte"]))[0]["matte"]
    assert np.array_equal(again, usual)


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ({"matte_model": "depth-anything-v2-small"}, "gives depth, no mattes"),
        ({"depth_model": "vitmatte-small"}, "gives mattes, no depth"),
        (dict.fromkeys(("matte_model", "depth_model"), "vitmatte-small"), "no depth"),
        (dict.fromkeys(("matte_model", "depth_model"), "depth-anything-v2-small"), "no mattes"),
    ],
)
@pytest.mark.parametrize("given", [[], ["matte"], ["matte", "depth"]])
def test_a_model_of_the_other_task_is_refused(engine, photo, maps, models, words, given):
    with pytest.raises(InputError, match=words):
        run(engine, RenderRequest(photo, **{name: maps[name] for name in given}, **models))


@pytest.fixture(scope="module")
def portrait():
    return cv2.resize(picture.read(samples.ASTRONAUT).pixels, (128, 128), interpolation=3)


@pytest.fixture(scope="module")
def repaired(engine, portrait):
    """A matte whose outline is not the network's."""
    planes, _ = run(engine, RenderRequest(portrait, want=["matte"]))
    return cv2.dilate(planes["matte"], np.ones((5, 5), np.uint8))


def test_the_depth_beside_a_given_matte_has_its_steps_on_that_outline(engine, portrait, repaired):
    want = {"want": ["depth"], "map_dtype": "f32"}
    planes, _ = run(engine, RenderRequest(portrait, matte=repaired, **want))
    library_depth = estimate_depth(to_linear(portrait), matte=to_linear(repaired, "linear"))
    np.testing.assert_array_equal(planes["depth"], library_depth)
    unpainted, _ = run(engine, RenderRequest(portrait, **want))
    assert np.abs(planes["depth"] - unpainted["depth"]).max() > 0.1


FLAT = np.full((128, 128), 128, np.uint8)
IN_FOCUS = wire_lens.Lens(focus=128 / 255, focus_range=0.02, max_coc=24)


def changed(composite, image):
    return (composite != image).any(axis=2)


def test_what_is_painted_on_a_matte_rules_at_every_depth(engine, portrait):
    found = run(engine, RenderRequest(portrait, want=["matte"]))[0]["matte"]
    asked = RenderRequest(portrait, matte=0 * found, depth=FLAT, lens=IN_FOCUS, want=["composite"])
    given, _ = run(engine, asked)
    assert np.array_equal(given["composite"], portrait), "all of it is in focus"
    painted, outcome = run(engine, dataclasses.replace(asked, painted=True))
    assert "analysis" in outcome.cached, "who was found is known"
    blurred = changed(painted["composite"], portrait)
    assert blurred[found == 255].mean() > 0.9
    around = cv2.dilate(found, np.ones((21, 21), np.uint8))
    assert not blurred[around == 0].any()


def test_whoever_is_not_at_the_focus_point_blurs_at_the_same_distance(engine):
    noise = np.random.default_rng(9).integers(0, 256, (128, 128, 3), np.uint8)
    chosen, other = (
        cv2.ellipse(np.zeros((128, 128), np.uint8), (x, 80), (20, 60), 0, 0, 360, 255, -1)
        for x in (32, 96)
    )
    lens = msgspec.structs.replace(IN_FOCUS, focus=None, focus_point=(0.25, 0.6))
    asked = RenderRequest(noise, matte=chosen | other, depth=FLAT, lens=lens)
    planes, outcome = run(engine, dataclasses.replace(asked, subject="at_focus_point"))
    blurred = changed(planes["composite"], noise)
    assert outcome.focus == pytest.approx(128 / 255)
    assert not blurred[chosen == 255].any()
    assert blurred[cv2.erode(other, np.ones((5, 5), np.uint8)) == 255].mean() > 0.9


def test_every_matte_has_a_depth_of_its_own_but_the_networks_look_once(engine, portrait, repaired):
    engine.free()
    _, first = run(engine, RenderRequest(portrait, matte=repaired))
    _, again = run(engine, RenderRequest(portrait, matte=repaired, lens=wire_lens.Lens(max_coc=3)))
    other, later = run(engine, RenderRequest(portrait, matte=255 - repaired, map_dtype="f32"))
    _, none = run(engine, RenderRequest(portrait))
    everybody, all_people = run(engine, RenderRequest(portrait, subject="all"))
    assert first.cached == []
    assert [done.cached for done in (again, later, none, all_people)] == [["analysis"]] * 4
    assert "networks" in first.timing
    assert not any("networks" in done.timing for done in (again, later, none, all_people))
    engine.free()
    alone, _ = run(engine, RenderRequest(portrait, matte=255 - repaired, map_dtype="f32"))
    np.testing.assert_array_equal(other["depth"], alone["depth"])
    alone, _ = run(engine, RenderRequest(portrait, subject="all"))
    np.testing.assert_array_equal(everybody["matte"], alone["matte"])


@pytest.mark.parametrize("dtype", ["u8", "u16", "f32"])
def test_a_map_that_goes_back_unchanged_need_not_travel(engine, portrait, dtype):
    engine.free()
    request, planes = RenderRequest(portrait, map_dtype=dtype).message("t")
    frames = {name: plane.data.cast("B") for name, plane in planes.items()}
    done = engine.run("", request, frames, lambda *_: None)
    digests = {plane.name: plane.digest for plane in done.planes}
    for name, codes in zip(request.want, done.pixels, strict=True):
        known = hashlib.sha256(codes.data).hexdigest()
        assert digests[name] == (None if name == "composite" else known)
    assert set(engine.vitals().held[""]) == {
        request.image.digest,
        digests["matte"],
        digests["depth"],
    }
    maps = {
        name: Map(width=128, height=128, dtype=dtype, digest=digests[name])
        for name in ("matte", "depth")
    }
    back = engine.run("", msgspec.structs.replace(request, **maps), {}, lambda *_: None)
    for given, kept in zip(back.pixels[:2], done.pixels[:2], strict=True):
        np.testing.assert_array_equal(given, kept)
    small = engine.run("", msgspec.structs.replace(request, preview=64), {}, lambda *_: None)
    assert {plane.digest for plane in small.planes} == {None}, "only what can go back has one"


def stages(engine, job):
    seen = set()
    engine.free()
    run(engine, job, report=lambda stage, _: seen.add(stage))
    assert seen <= set(STAGES), "each has words for the user"
    return seen - {"check", "decode", "render", "encode", "send"}


def test_no_matte_is_made_to_be_thrown_away(engine, photo, maps):
    assert stages(engine, RenderRequest(photo)) == {"matte", "depth"}
    assert stages(engine, RenderRequest(photo, matte=maps["matte"])) == {"depth"}
    assert stages(engine, RenderRequest(photo, depth=maps["depth"], subject="none")) == set()


def test_the_depth_of_a_given_matte_can_be_cancelled(engine, photo, maps):
    def stop(stage, fraction):
        if stage == "depth":
            raise Cancelled(stage)

    engine.free()
    with pytest.raises(Cancelled):
        run(engine, RenderRequest(photo, matte=maps["matte"]), report=stop)


def test_an_unknown_model_is_missing(engine, photo):
    with pytest.raises(ModelMissing):
        run(engine, RenderRequest(photo, matte_model="nonesuch"))


def test_progress_never_goes_back_and_can_cancel(engine, photo):
    engine.free()
    seen = []
    run(engine, RenderRequest(photo), report=lambda _, fraction: seen.append(fraction))
    assert seen == sorted(seen)
    assert 0 <= seen[0] <= seen[-1] <= 1

    class Stop(Exception):
        pass

    def stop(stage, fraction):
        raise Stop

    engine.free()
    with pytest.raises(Stop):
        run(engine, RenderRequest(photo), report=stop)


def test_vitals_tell_what_is_held(engine, photo):
    engine.free()
    run(engine, RenderRequest(photo))
    vitals = engine.vitals()
    assert hashlib.sha256(photo.data).hexdigest() in vitals.held[""]
    assert vitals.cache["analysis"].entries == 2, "what the network saw, and the maps of it"


def test_what_one_user_sent_is_not_there_for_another(engine, photo):
    engine.free()
    run(engine, RenderRequest(photo))
    request, _ = RenderRequest(photo).message("r")
    with pytest.raises(PlanesMissing):
        engine.run("other", request, {}, lambda *_: None)
    outcome = engine.run("other", request, {"image": photo.data.cast("B")}, lambda *_: None)
    assert outcome.cached == []


@pytest.mark.parametrize("lens", [wire_lens.Lens(max_coc=6), wire_lens.BinnedGaussian(strength=3)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_region_is_what_the_whole_result_has_there(engine, photo, maps, lens, dtype):
    engine.free()
    image = photo if dtype == "uint8" else photo.astype(np.float32) / 255
    whole, _ = run(engine, RenderRequest(image, **maps, lens=lens))
    job = RenderRequest(
        image, **maps, lens=lens, region=Region(left=13, top=9, width=30, height=21)
    )
    planes, outcome = run(engine, job, pixels=False)
    for name, plane in planes.items():
        expected = whole[name][9:30, 13:43]
        assert plane.shape == expected.shape
        step = 1 if plane.dtype == np.uint8 else 1 / 255
        assert np.abs(plane.astype(float) - expected).max() <= step
    assert [(plane.width, plane.height) for plane in outcome.planes] == [(30, 21)] * 3


def test_the_next_region_finds_the_picture_prepared(engine, photo):
    engine.free()
    first = RenderRequest(photo, region=Region(left=0, top=0, width=20, height=20))
    run(engine, first)
    beside = dataclasses.replace(first, region=Region(left=20, top=0, width=20, height=20))
    assert run(engine, beside, pixels=False)[1].cached == ["prepared"]


def test_an_impossible_region_is_refused(engine, photo, maps):
    region = Region(left=50, top=0, width=15, height=5)
    with pytest.raises(WrongField, match="not within") as refusal:
        run(engine, RenderRequest(photo, **maps, region=region))
    assert refusal.value.field == "region"


def test_strokes_are_in_the_maps_that_come_back_and_in_the_result(engine, photo, maps):
    engine.free()
    lens = wire_lens.Lens(focus=1.0, max_coc=6)
    job = RenderRequest(photo, **maps, lens=lens)
    plain, _ = run(engine, job)
    sharp = Stroke(plane="matte", effect="raise", radius=6, edges=False, points=(10, 20, 20, 20))
    nearer = Stroke(plane="depth", effect="raise", radius=6, edges=False, points=(10, 40))
    drawn, _ = run(engine, dataclasses.replace(job, strokes=(sharp, nearer)), pixels=False)
    assert drawn["matte"][20, 15] == 255
    assert plain["matte"][20, 15] == 0
    step = int(drawn["depth"][40, 10]) - int(plain["depth"][40, 10])
    assert step == pytest.approx(25, abs=1)
    assert (drawn["composite"] != plain["composite"]).any()
    gone = Stroke(plane="matte", effect="erase", radius=40, edges=False, points=(15, 20))
    erased, _ = run(engine, dataclasses.replace(job, strokes=(sharp, gone)), pixels=False)
    assert np.abs(erased["matte"].astype(int) - plain["matte"]).max() <= 40


@pytest.mark.parametrize(
    "where", [{"preview": 40}, {"region": Region(left=0, top=8, width=40, height=32)}]
)
def test_one_more_stroke_starts_from_those_before(engine, photo, maps, where):
    engine.free()
    job = RenderRequest(photo, **maps, lens=wire_lens.Lens(max_coc=3), **where)
    strokes = [Stroke(plane="matte", effect="raise", radius=4, points=(x, 20)) for x in (8, 16, 24)]
    run(engine, dataclasses.replace(job, strokes=strokes[:2]))
    more = dataclasses.replace(job, strokes=strokes)
    planes, outcome = run(engine, more, pixels=False)
    assert outcome.cached == ["prepared"]
    engine.free()
    again, _ = run(engine, more)
    np.testing.assert_array_equal(again["matte"], planes["matte"])


def test_a_path_of_an_odd_count_of_numbers_is_refused():
    stroke = Stroke(plane="matte", effect="raise", radius=4, points=(8, 9, 10))
    photo = np.zeros((48, 64, 3), np.uint8)
    request, _ = RenderRequest(photo, strokes=(stroke,)).message("a")
    with pytest.raises(Refused, match="odd count"):
        checks.check(request)


def test_people_are_told_and_kept_by_their_points(engine, portrait):
    engine.free()
    two = np.concatenate([portrait, portrait[:, ::-1]], axis=1)
    _, told = run(engine, RenderRequest(two, tell_people=True))
    assert len(told.people) == 2
    left, right = sorted(told.people, key=lambda person: person.point[0])
    assert left.point[0] < 0.5 < right.point[0]
    job = RenderRequest(two, people=(right.point,), want=("matte",))
    one = run(engine, job, pixels=False)[0]["matte"]
    middle = two.shape[1] // 2
    assert one[:, middle:].mean() > 20 * max(1.0, one[:, :middle].mean())
    everybody = dataclasses.replace(job, people=(left.point, right.point))
    both = run(engine, everybody, pixels=False)[0]["matte"]
    assert both[:, :middle].mean() > 20


def test_who_is_where_is_told_only_when_asked(engine, photo, maps):
    assert run(engine, RenderRequest(photo, **maps))[1].people == []


# --- the photo's file


def with_depth(pixels):
    """A JPEG with a phone's depth map inside, near at the left, and that depth."""
    height, width = pixels.shape[:2]
    codes = np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1))
    encoded = cv2.imencode(".png", codes)[1].tobytes()
    data = base64.b64encode(encoded).decode()
    space = "http://ns.google.com/photos/1.0/depthmap/"
    packet = made.xmp({"GDepth:Format": "RangeInverse", "GDepth:Data": data}, {"GDepth": space})
    file = made.jpeg(pixels, (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet))
    return file, 1 - codes / 255


def test_the_depth_inside_the_file_stands_for_the_networks(engine, photo):
    file, expected = with_depth(photo)
    job = RenderRequest(photo, file=file, want=["depth"])
    planes, outcome = run(engine, job)
    np.testing.assert_allclose(planes["depth"] / 255, expected, atol=0.06)
    assert outcome.file_notes == ["the depth is the one inside the file, 64 x 48"]
    planes, again = run(engine, job, pixels=False)  # nothing travels twice
    np.testing.assert_allclose(planes["depth"] / 255, expected, atol=0.06)
    assert again.file_notes == outcome.file_notes


def test_a_preview_and_nobody_see_the_depth_of_the_file(engine, photo):
    file, expected = with_depth(photo)
    small, outcome = run(engine, RenderRequest(photo, file=file, want=["depth"], preview=32))
    shrunk = cv2.resize(expected, (32, 24), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(small["depth"] / 255, shrunk, atol=0.06)
    nobody, _ = run(engine, RenderRequest(photo, file=file, want=["depth"], subject="none"))
    np.testing.assert_allclose(nobody["depth"] / 255, expected, atol=0.06)
    assert outcome.file_notes


def test_what_the_request_says_itself_comes_before_the_file(engine, photo, maps):
    file, _ = with_depth(photo)
    given, outcome = run(engine, RenderRequest(photo, file=file, depth=maps["depth"]))
    np.testing.assert_array_equal(given["depth"], maps["depth"])
    assert outcome.file_notes == []
    plain, _ = run(engine, RenderRequest(photo, want=["depth"]))
    named = RenderRequest(photo, file=file, want=["depth"], depth_model=registry.DEFAULT)
    estimated, outcome = run(engine, named)
    np.testing.assert_array_equal(estimated["depth"], plain["depth"])
    assert outcome.file_notes == []


def test_the_file_of_another_picture_is_left_aside_with_a_note(engine, photo):
    other = np.random.default_rng(1).integers(0, 256, photo.shape, np.uint8)
    file, _ = with_depth(other)
    planes, outcome = run(engine, RenderRequest(photo, file=file, want=["depth"]))
    plain, _ = run(engine, RenderRequest(photo, want=["depth"]))
    np.testing.assert_array_equal(planes["depth"], plain["depth"])
    assert "not used" in outcome.file_notes[0]


def test_a_file_with_another_digest_is_refused(engine, photo):
    file, _ = with_depth(photo)
    request, planes = RenderRequest(photo, file=file).message("t")
    frames = {name: plane.data.cast("B") for name, plane in planes.items()}
    frames["file"] = memoryview(bytes(len(file)))
    with pytest.raises(WrongField) as caught:
        engine.run("nobody else", request, frames, lambda *_: None)
    assert caught.value.field == "file"


def test_a_file_beside_both_maps_is_refused(photo, maps):
    request, _ = RenderRequest(photo, file=b"x", **maps).message("t")
    with pytest.raises(Refused, match="`file` has no effect"):
        checks.check(request)
    painted, _ = RenderRequest(photo, file=b"x", painted=True, **maps).message("t")
    checks.check(painted)  # it may have been painted over the matte inside


def test_the_depth_of_a_file_stops_when_it_is_told_to(engine, photo):
    file, _ = with_depth(photo)
    decoded = []

    def report(stage, _fraction):
        decoded.append(stage)
        if decoded.count("decode") > 1:  # the photo itself is one strip
            raise Cancelled

    with pytest.raises(Cancelled):
        run(engine, RenderRequest(photo[:, ::-1].copy(), file=file), report=report)
