"""The command line and the editors mean the same look by the same name."""

import argparse
import contextlib
import json
import math
import re

import numpy as np
import pytest

from bokeh_core.binned_gaussian import BinnedGaussian
from bokeh_core.errors import InputError
from bokeh_core.lens import Lens
from bokeh_core.picture import Picture, write
from bokeh_core.presets import LOOKS, PAPERS
from daemon.cli import options
from daemon.cli.main import main
from daemon.light import own_presets
from daemon.light.aperture_picture import text_of
from daemon.light.parameters import APERTURES, PRESETS, Parameters
from daemon.wire.lens import Preset
from daemon.wire.planes import Image
from daemon.wire.protocol import Render
from daemon.worker.look import look_of

SIZE = (4000, 3000)
SIZES = [SIZE, (3000, 2000), (1080, 1920)]


def lens(*words, size=SIZE):
    parser = argparse.ArgumentParser()
    options.add_lens(parser)
    return options.lens_of(parser.parse_args(words), *size)


def dialog(size=SIZE, **settings):
    fields = Parameters(**settings).lens(*size)
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
    assert set(PRESETS) - {"custom"} == {*LOOKS, "paper"}


@pytest.mark.parametrize("name", [*LOOKS, "paper"])
@pytest.mark.parametrize("size", SIZES)
def test_presets_agree(name, size):
    same(lens("--preset", name, size=size), dialog(size, preset=name))


@pytest.mark.parametrize(
    ("words", "refine"),
    [
        ([], "hair"),
        (["--style", "paper"], "hair"),
        (["--preset", "paper"], "border"),
        (["--preset", "paper-notebook"], "border"),
        (["--preset", "paper", "--refine", "guided"], "guided"),
    ],
)
def test_the_papers_presets_refine_by_its_border_step(words, refine):
    parser = argparse.ArgumentParser()
    options.add_lens(parser)
    assert options.refine_of(parser.parse_args(words)) == refine


@pytest.mark.parametrize("blades", [5, 6, 9])
@pytest.mark.parametrize("curvature", [0.0, 0.3])
def test_blades_keep_the_area_in_editors_too(blades, curvature):
    words = ("--blades", str(blades), "--curvature", str(curvature))
    made = dialog(aperture=APERTURES[blades], curvature=curvature)
    same(lens(*words), made)
    assert made.max_coc > lens().max_coc


def test_the_notebooks_preset_is_the_librarys():
    same(lens("--preset", "paper-notebook"), BinnedGaussian.notebook(*SIZE))
    assert lens("--preset", "paper-notebook", "--curve", "1").curve == 1


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


def test_an_own_aperture_replaces_that_of_the_preset(tmp_path):
    write(tmp_path / "k.png", Picture(pixels=np.full((3, 3, 1), 255, np.uint8), transfer="linear"))
    own = lens("--kernel", str(tmp_path / "k.png"), "--preset", "hexagon")
    assert (own.blades, own.curvature, own.highlight_gain) == (0, 0.0, 4.0), "the daemon takes it"


def test_a_picture_of_an_own_preset_gives_way_to_blades_and_to_another(tmp_path, monkeypatch):
    monkeypatch.setenv("DEFOCUS_CONFIG_DIR", str(tmp_path))
    text = text_of([0.0, 1.0, 1.0, 1.0], 2)
    own_presets.save("corner", Parameters(aperture_picture=text, aperture="hexagon", ring=0.5))
    kept = dialog(aperture_picture=text, aperture="hexagon", ring=0.5)
    corner = ["--preset", "corner"]
    same(lens(*corner), kept)
    assert (kept.kernel, kept.blades, kept.ring) == (((0.0, 255.0), (255.0, 255.0)), 0, 0.0)
    assert lens(*corner, "--rotation", "90").kernel == kept.kernel
    five = lens(*corner, "--blades", "5", "--ring", "0.2")
    assert (five.kernel, five.blades, five.ring) == (None, 5, 0.2)
    with pytest.raises(InputError, match="--ring has no effect beside the aperture picture"):
        lens(*corner, "--ring", "0.2")
    write(tmp_path / "k.png", Picture(pixels=np.full((3, 3, 1), 255, np.uint8), transfer="linear"))
    assert lens(*corner, "--kernel", str(tmp_path / "k.png")).kernel == ((255.0,) * 3,) * 3


def test_a_picture_without_light_is_no_aperture(tmp_path):
    write(tmp_path / "k.png", Picture(pixels=np.zeros((3, 3, 1), np.uint8), transfer="linear"))
    with pytest.raises(InputError, match=r"k\.png: There is no light in this picture"):
        lens("--kernel", str(tmp_path / "k.png"))


SAID = [
    ([], {}),
    (["--f-number", "1.4"], {"f_number": 1.4}),
    (["--focus", "0.4"], {"focus": 0.4}),
    (["--focus", "0.1,0.9"], {"focus_point": (0.1, 0.9)}),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("name", "words", "asked"),
    [*((name, *said) for name in LOOKS for said in SAID), *((name, [], {}) for name in PAPERS)],
)
def test_a_preset_by_name_on_the_wire_is_the_same(name, words, asked, size):
    depth = np.tile(np.linspace(0, 1, 40, dtype=np.float32), (30, 1))
    ours = lens("--preset", name, *words, size=size)
    ours = ours.resolved(depth, depth) if isinstance(ours, Lens) else ours
    image = Image(width=size[0], height=size[1], transfer="srgb", digest="0" * 64)
    request = Render(id="r", image=image, lens=Preset(name=name, **asked))
    assert look_of(request, depth, depth) == ours


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Save two presets as a dialog does; gives their settings."""
    monkeypatch.setenv("DEFOCUS_CONFIG_DIR", str(tmp_path))
    settings = {
        "Ulla, six blades": Parameters(
            f_number=1.4, aperture="hexagon", curvature=0.2, rotation=20.0, fringe=3.0, ring=0.3
        ),
        "areas": Parameters(style="paper", bins=9, strength=20.0),
    }
    for name, parameters in settings.items():
        own_presets.save(name, parameters)
    return settings


@pytest.mark.parametrize("name", ["Ulla, six blades", "areas"])
@pytest.mark.parametrize("size", SIZES)
def test_an_own_preset_is_the_lens_of_the_dialog_it_was_saved_in(own, name, size):
    look = {each: getattr(own[name], each) for each in vars(own[name])}
    same(lens("--preset", name, size=size), dialog(size, **look))


def test_an_option_beats_an_own_preset(own):
    changed = lens("--preset", "Ulla, six blades", "--f-number", "2.8", "--blades", "5")
    assert changed.blades == 5
    assert changed.ring == 0.3
    assert lens("--preset", "areas", "--bins", "4").bins == 4


def test_an_own_preset_has_one_style(own):
    with pytest.raises(InputError, match="--preset areas is not a lens"):
        lens("--preset", "areas", "--style", "lens")
    with pytest.raises(InputError, match="--preset Ulla, six blades is a lens"):
        lens("--preset", "Ulla, six blades", "--style", "paper")


def test_own_presets_are_listed_and_removed(own, capsys):
    assert main(["presets", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["ready"]) == {*LOOKS, *PAPERS}
    assert told["own"] == own_presets.load()
    assert main(["presets", "remove", "areas"]) == 0
    assert main(["presets", "list"]) == 0
    said = capsys.readouterr().out
    assert "Ulla, six blades" in said
    assert str(own_presets.path()) in said
    assert main(["presets", "remove", "areas"]) == 1
    assert "no preset of your own called areas" in capsys.readouterr().err


def test_a_damaged_file_of_presets_is_one_line_and_only_where_it_is_needed(own, capsys):
    own_presets.path().write_text("{", encoding="utf-8")
    lens("--preset", "dreamy")
    for words in (["photo.jpg", "--preset", "areas"], ["presets", "list"]):
        with contextlib.suppress(SystemExit):
            assert main(words) == 1
        said = capsys.readouterr().err
        assert "is damaged" in said
        assert said.count("\n") == 1
    assert own_presets.path().read_text(encoding="utf-8") == "{"
