"""The command line and the GIMP dialog mean the same look by the same name."""

import argparse
import math
import re

import pytest

from bokeh_core.errors import InputError
from bokeh_core.lens import BinnedGaussian, Lens
from daemon.cli import looks, options
from gimp_plugin.parameters import PRESETS, Parameters

SIZE = (4000, 3000)


def lens(*words):
    parser = argparse.ArgumentParser()
    options.add_lens(parser)
    return options.lens_of(parser.parse_args(words), *SIZE)


def dialog(**settings):
    fields = Parameters(**settings).lens(*SIZE)
    kind = {"lens": Lens, "binned_gaussian": BinnedGaussian}[fields.pop("kind")]
    return kind(**fields)


def same(one, other):
    assert type(one) is type(other)
    mine, theirs = vars(one), vars(other)
    for name, value in mine.items():
        expected = theirs[name]
        wanted = pytest.approx(expected, rel=1e-6) if isinstance(expected, float) else expected
        assert value == wanted, name


def test_defaults_agree():
    same(lens(), dialog())


def test_the_same_presets_exist():
    assert set(PRESETS) - {"custom"} == {*looks.PRESETS, "paper"}


@pytest.mark.parametrize("name", [*looks.PRESETS, "paper"])
def test_presets_agree(name):
    same(lens("--preset", name), dialog(preset=name))


def test_an_f_number_is_that_of_the_dialog():
    same(lens("--f-number", "1.2"), dialog(f_number=1.2))
    assert lens("--f-number", "1.4").max_coc == pytest.approx(2 * lens().max_coc)


def test_an_option_beats_the_preset():
    assert lens("--preset", "hexagon", "--blades", "5").blades == 5


def test_focus_is_a_point_a_depth_or_the_subject():
    assert lens("--focus", "0.4,0.3").focus_point == (0.4, 0.3)
    assert lens("--focus", "0.7").focus == 0.7
    assert lens("--focus", "subject").focus is None
    assert lens().keep_subject_sharp
    assert not lens("--focus", "0.1,0.1").keep_subject_sharp


def test_rotation_is_in_degrees():
    assert lens("--blades", "6", "--rotation", "30").rotation == pytest.approx(math.pi / 6)


def test_a_rotation_is_refused_in_degrees_as_well(capsys):
    assert lens("--rotation", "-360").rotation == pytest.approx(-2 * math.pi)
    for word in ("400", "nan", "much"):
        with pytest.raises(SystemExit):
            lens("--rotation", word)
        assert f"'{word}' is not a number of degrees from -360 to 360" in capsys.readouterr().err


def test_every_field_of_both_styles_has_an_option():
    parser = argparse.ArgumentParser()
    options.add_lens(parser)
    known = {action.dest for action in parser._actions}
    for kind in (Lens, BinnedGaussian):
        assert set(kind.__dataclass_fields__) - {"focus_point"} <= known


@pytest.mark.parametrize(("words", "size"), [([], SIZE), (["--style", "paper"], (3000, 4000))])
def test_the_help_gives_the_default_that_is_used(words, size):
    parser = argparse.ArgumentParser()
    options.add_lens(parser)
    look = options.lens_of(parser.parse_args(words), *size)
    helps = {action.dest: action.help for action in parser._actions}
    told = {
        name: re.search(r"default (\S+)\)", helps[name]) for name in vars(look) if name in helps
    }
    numbers = {name: match[1] for name, match in told.items() if match}
    assert len(numbers) >= 3
    for name, text in numbers.items():
        used = getattr(look, name)
        assert text == (f"{used:g}" if not isinstance(used, bool) else "yes" if used else "no")


def test_options_of_the_other_style_are_refused():
    with pytest.raises(InputError, match="only for --style lens"):
        lens("--style", "paper", "--blades", "5")
    with pytest.raises(InputError, match="only for --style paper"):
        lens("--strength", "5")


@pytest.mark.parametrize(
    "words",
    [
        ["--f-number", "2"],
        ["--focal-length", "50"],
        ["--focus-distance", "3"],
        ["--sensor-width", "24"],
        ["--focus", "0.4"],
        ["--focus", "subject"],
        ["--rotation", "10"],
        ["--kernel", "k.png"],
        ["--max-coc", "20"],
    ],
)
def test_what_has_no_effect_on_the_papers_way_is_refused(words):
    with pytest.raises(InputError, match=f"{words[0]} is only for --style lens"):
        lens("--style", "paper", *words)


@pytest.mark.parametrize(
    "words", [["--f-number", "2"], ["--focal-length", "50"], ["--sensor-width", "24"]]
)
def test_a_radius_and_a_camera_contradict_each_other(words):
    with pytest.raises(InputError, match="give one of them"):
        lens("--max-coc", "20", *words)


def test_an_own_aperture_has_no_blades(tmp_path):
    with pytest.raises(InputError, match="--blades has no effect beside --kernel"):
        lens("--kernel", str(tmp_path / "k.png"), "--blades", "5")
