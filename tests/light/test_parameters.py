"""Settings: ranges, presets, records, and the lens they stand for."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bokeh_core as bc
from daemon.light.aperture_picture import text_of
from daemon.light.facts import SUBJECTS
from daemon.light.parameters import PRESETS, Parameters

HEART = text_of([float(at) for at in b"\0\1\0\1\0\1\1\1\1\1\0\1\1\1\0\0\0\1\0\0"], 5)
FIELDS = {field.name: field for field in dataclasses.fields(Parameters)}


def values(field):
    if "choices" in field.metadata:
        return st.sampled_from(list(field.metadata["choices"]))
    if isinstance(field.default, bool):
        return st.booleans()
    if field.name == "aperture_picture":
        return st.sampled_from(["", HEART, text_of([1.0], 1)])
    if isinstance(field.default, str):
        return st.sampled_from(["", "0.25,0.5", "0.1,0.2 0.3,0.4"])
    make = st.integers if isinstance(field.default, int) else st.floats
    return make(field.metadata["low"], field.metadata["high"])


everything = st.builds(Parameters, **{name: values(field) for name, field in FIELDS.items()})


@settings(deadline=None)
@given(everything, st.integers(1, 20000), st.integers(1, 20000))
def test_every_setting_within_its_range_is_a_lens_of_the_library(parameters, width, height):
    fields = parameters.lens(width, height)
    kind = {"lens": bc.Lens, "binned_gaussian": bc.BinnedGaussian}[fields.pop("kind")]
    kind(**fields)


@settings(deadline=None)
@given(everything)
def test_a_record_brings_the_same_settings_back(parameters):
    record = json.loads(json.dumps(parameters.record()))
    assert Parameters.from_record(record) == parameters


@pytest.mark.parametrize(
    "record",
    [
        {"unknown": 1},
        {"f_number": "wide"},
        {"f_number": 1e9},
        {"f_number": math.nan},
        {"keep_subject_sharp": 1},
        {"bins": 2.5},
        {"style": "oil"},
        {"style": ["lens"]},
        {"aperture_picture": "a heart"},
        {"aperture_picture": "AAAA"},
        {"aperture_picture": 7},
    ],
)
def test_unfit_values_of_a_record_are_left_out(record):
    assert Parameters.from_record(record) == Parameters()


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_settings_and_leave_the_focus_alone(preset):
    chosen = Parameters(preset=preset, focus="point", focus_x=0.2).resolved()
    assert (chosen.focus, chosen.focus_x) == ("point", 0.2)
    for name, value in PRESETS[preset].items():
        assert getattr(chosen, name) == value
    chosen.lens(400, 300)


def test_the_subject_is_kept_sharp_only_while_it_is_in_focus():
    assert Parameters().lens(10, 10)["keep_subject_sharp"]
    assert not Parameters(focus="point").lens(10, 10)["keep_subject_sharp"]


def test_the_blur_is_that_of_the_thin_lens_and_follows_the_size():
    from_camera = bc.Lens.from_camera(
        image_width_px=4000,
        focus_distance_m=2.0,
        f_number=1.8,
        focal_length_mm=85.0,
        sensor_width_mm=36.0,
    )
    chosen = Parameters(f_number=1.8)
    assert chosen.lens(4000, 3000)["max_coc"] == pytest.approx(from_camera.max_coc)
    assert chosen.lens(750, 1000)["max_coc"] == pytest.approx(from_camera.max_coc / 4)


def test_the_papers_blur_is_the_librarys_at_every_shape():
    for size in ((4000, 3000), (3000, 2000), (1080, 1920)):
        fields = Parameters(preset="paper").lens(*size)
        assert fields.pop("kind") == "binned_gaussian"
        usual = bc.BinnedGaussian.usual(*size)
        assert bc.BinnedGaussian(**fields).sigmas() == pytest.approx(usual.sigmas())


def test_the_words_for_the_subject_are_the_wires():
    assert set(FIELDS["people"].metadata["choices"]) == {*SUBJECTS, "chosen"}
    assert Parameters(people="at_focus_point").subject == "main", "there is no point"
    assert Parameters(people="at_focus_point", focus="point").subject == "at_focus_point"


def test_cats_eyes_are_previewed_without_them_first():
    rough, fine = Parameters(preset="vintage", focus="point").looks()
    assert (rough.cat_eye, fine.cat_eye) == (0.0, 0.9)
    assert dataclasses.replace(rough, cat_eye=0.9, preset=fine.preset) == fine
    assert Parameters().looks() == (Parameters(),)


UNSEEN = {"based_on", "focus_x", "focus_y", "people_at", "own_depth"}
"""Chosen or clicked, without a widget that GIMP makes."""


def test_mnemonics_and_help_are_there():
    shown = [name for name in FIELDS if name not in UNSEEN]
    assert all(FIELDS[name].metadata["label"].count("_") == 1 for name in shown)
    assert all(FIELDS[name].metadata["help"] for name in FIELDS)
