"""The real engine: bokeh_core through the pipeline, every step cached by content."""

from __future__ import annotations

import hashlib

import cv2
import msgspec
import numpy as np
import pytest

from bokeh_core import lens as library
from bokeh_core import picture, samples
from bokeh_core.depth import estimate_depth
from bokeh_core.errors import Cancelled, InputError, ModelMissing
from bokeh_core.networks import hub
from bokeh_core.picture import to_linear
from bokeh_core.rendering import render
from daemon import engine as engine_module
from daemon import optics
from daemon.client import Job
from daemon.codec import Refused
from daemon.work import PlanesMissing

HEIGHT, WIDTH = 48, 64


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
    outcome = engine.run(request, frames, report)
    return dict(zip([p.name for p in outcome.planes], outcome.pixels, strict=True)), outcome


def test_the_composite_is_what_the_library_renders(engine, photo, maps):
    lens = optics.Lens(focus=1.0, max_coc=6)
    planes, outcome = run(engine, Job(photo, **maps, lens=lens))
    light = to_linear(photo)
    expected = render(
        light,
        to_linear(maps["depth"], "linear"),
        to_linear(maps["matte"], "linear"),
        library.Lens(focus=1.0, max_coc=6),
        device="cpu",
    )
    difference = to_linear(planes["composite"]) - expected
    assert np.abs(difference).max() < 0.01
    assert outcome.focus == 1.0
    np.testing.assert_array_equal(planes["matte"], maps["matte"])
    np.testing.assert_array_equal(planes["depth"], maps["depth"])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_what_is_in_focus_keeps_its_codes_and_alpha_passes(engine, maps, dtype, channels):
    noise = np.random.default_rng(5).random((HEIGHT, WIDTH, channels))
    image = (noise * 1.5 - 0.2).astype(np.float32)
    if dtype != np.float32:
        image = (noise * np.iinfo(dtype).max).astype(dtype)
    planes, _ = run(engine, Job(image, **maps, lens=optics.Lens(max_coc=0)))
    np.testing.assert_array_equal(planes["composite"], image)


def test_a_second_look_skips_everything_but_the_blur(engine, photo):
    engine.free()
    _, first = run(engine, Job(photo))
    _, second = run(engine, Job(photo, lens=optics.Lens(max_coc=9)), pixels=False)
    _, third = run(engine, Job(photo, lens=optics.Lens(max_coc=9)), pixels=False)
    assert "networks" in first.timing
    assert first.cached == []
    assert second.cached == ["analysis"]
    assert "networks" not in second.timing
    assert third.cached == ["result"]


def test_a_preview_shares_the_analysis_and_has_its_size(engine, photo):
    engine.free()
    run(engine, Job(photo))
    planes, outcome = run(engine, Job(photo, preview=32), pixels=False)
    assert planes["composite"].shape == (24, 32, 3)
    assert planes["depth"].shape == (24, 32)
    assert outcome.cached == ["analysis"]
    again, outcome = run(engine, Job(photo, preview=32, lens=optics.Lens(max_coc=3)), pixels=False)
    assert outcome.cached == ["prepared"]
    assert again["composite"].shape == (24, 32, 3)


def test_maps_come_back_in_the_type_asked_for(engine, photo, maps):
    planes, outcome = run(engine, Job(photo, **maps, map_dtype="u16", want=["depth"]))
    np.testing.assert_array_equal(planes["depth"], maps["depth"].astype(np.uint16) * 257)
    assert outcome.planes[0].dtype == "u16"


def test_nobody_as_subject_leaves_depth_alone(engine, photo, maps):
    planes, _ = run(engine, Job(photo, **maps, subject="none"))
    assert planes["matte"].max() == 0


def test_a_focus_point_sets_the_focus(engine, photo, maps):
    lens = optics.Lens(focus_point=(0.999, 0.5))
    _, outcome = run(engine, Job(photo, **maps, lens=lens))
    assert outcome.focus == pytest.approx(1.0, abs=0.05)


def test_camera_values_become_a_blur_radius(engine, photo, maps):
    camera = optics.Camera(f_number=1.8, focal_length_mm=50, sensor_width_mm=36, focus_distance_m=2)
    planes, outcome = run(engine, Job(photo, **maps, camera=camera))
    physical = library.Lens.from_camera(
        image_width_px=WIDTH, **msgspec.structs.asdict(camera) | {"farthest_m": np.inf}
    )
    same, _ = run(
        engine,
        Job(photo, **maps, lens=optics.Lens(focus=physical.focus, max_coc=physical.max_coc)),
    )
    np.testing.assert_array_equal(planes["composite"], same["composite"])
    assert outcome.focus == pytest.approx(physical.focus)


def test_the_papers_renderer_is_a_kind_of_lens(engine, photo, maps):
    planes, outcome = run(engine, Job(photo, **maps, lens=optics.BinnedGaussian(strength=3)))
    assert outcome.focus is None
    assert planes["composite"].shape == photo.shape


def test_wrong_pixels_are_refused_before_they_enter_the_cache(engine, photo):
    request, _ = Job(photo + 1).message("t")
    with pytest.raises(Refused, match="digest"):
        engine.run(request, {"image": photo.data.cast("B")}, lambda *_: None)
    with pytest.raises(PlanesMissing):
        engine.run(request, {}, lambda *_: None)


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.5, 1.5])
def test_an_impossible_map_is_named(engine, photo, maps, value):
    depth = np.full((HEIGHT, WIDTH), value, np.float32)
    with pytest.raises(InputError, match="depth"):
        run(engine, Job(photo, matte=maps["matte"], depth=depth))


def test_a_known_digest_of_another_size_is_refused(engine, photo, maps):
    run(engine, Job(photo, **maps))
    request, _ = Job(photo, **maps).message("t")
    image = msgspec.structs.replace(request.image, height=HEIGHT + 1)
    wrong = msgspec.structs.replace(request, image=image)
    with pytest.raises(Refused, match=f"image is that of {3 * HEIGHT * WIDTH} bytes"):
        engine.run(wrong, {}, lambda *_: None)


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
        run(engine, Job(photo, **{name: maps[name] for name in given}, **models))


@pytest.fixture(scope="module")
def portrait():
    return cv2.resize(picture.read(samples.ASTRONAUT).pixels, (128, 128), interpolation=3)


@pytest.fixture(scope="module")
def repaired(engine, portrait):
    """A matte whose outline is not the network's."""
    planes, _ = run(engine, Job(portrait, want=["matte"]))
    return cv2.dilate(planes["matte"], np.ones((5, 5), np.uint8))


def test_the_depth_beside_a_given_matte_has_its_steps_on_that_outline(engine, portrait, repaired):
    want = {"want": ["depth"], "map_dtype": "f32"}
    planes, _ = run(engine, Job(portrait, matte=repaired, **want))
    library_depth = estimate_depth(to_linear(portrait), matte=to_linear(repaired, "linear"))
    np.testing.assert_array_equal(planes["depth"], library_depth)
    unpainted, _ = run(engine, Job(portrait, **want))
    assert np.abs(planes["depth"] - unpainted["depth"]).max() > 0.1


def test_every_matte_has_a_depth_of_its_own_in_the_cache(engine, portrait, repaired):
    engine.free()
    _, first = run(engine, Job(portrait, matte=repaired))
    _, again = run(engine, Job(portrait, matte=repaired, lens=optics.Lens(max_coc=3)))
    _, other = run(engine, Job(portrait, matte=255 - repaired))
    _, none = run(engine, Job(portrait))
    assert [done.cached for done in (first, again, other, none)] == [[], ["analysis"], [], []]
    assert "networks" not in again.timing


def stages(engine, job):
    seen = set()
    engine.free()
    run(engine, job, report=lambda stage, _: seen.add(stage))
    return seen - {"check", "decode", "render", "encode", "send"}


def test_no_matte_is_made_to_be_thrown_away(engine, photo, maps):
    assert stages(engine, Job(photo)) == {"matte", "depth"}
    assert stages(engine, Job(photo, matte=maps["matte"])) == {"depth"}
    assert stages(engine, Job(photo, depth=maps["depth"], subject="none")) == set()


def test_the_depth_of_a_given_matte_can_be_cancelled(engine, photo, maps):
    def stop(stage, fraction):
        if stage == "depth":
            raise Cancelled(stage)

    engine.free()
    with pytest.raises(Cancelled):
        run(engine, Job(photo, matte=maps["matte"]), report=stop)


def test_an_unknown_model_is_missing(engine, photo):
    with pytest.raises(ModelMissing):
        run(engine, Job(photo, matte_model="nonesuch"))


def test_progress_never_goes_back_and_can_cancel(engine, photo):
    engine.free()
    seen = []
    run(engine, Job(photo), report=lambda _, fraction: seen.append(fraction))
    assert seen == sorted(seen)
    assert 0 <= seen[0] <= seen[-1] <= 1

    class Stop(Exception):
        pass

    def stop(stage, fraction):
        raise Stop

    engine.free()
    with pytest.raises(Stop):
        run(engine, Job(photo), report=stop)


def test_vitals_tell_what_is_held(engine, photo):
    engine.free()
    run(engine, Job(photo))
    vitals = engine.vitals()
    assert vitals.held == [hashlib.sha256(photo.data).hexdigest()]
    assert vitals.cache["analysis"].entries == 1
