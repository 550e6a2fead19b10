"""The command line as a user runs it: a process of its own on real files."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from bokeh_core import picture, samples
from bokeh_core.picture import Metadata, Picture
from daemon.cli import main, studio
from daemon.cli.studio import Made

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """No daemon of the user's is seen, and none of ours outlives a test."""
    folder = tmp_path_factory.mktemp("run")
    return {
        **os.environ,
        "DEFOCUS_RUNTIME_DIR": str(folder),
        "DEFOCUS_LOG_DIR": str(folder),
        "DEFOCUS_CONFIG_DIR": str(folder),
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture
def defocus(environment, tmp_path):
    def run(*words, environment=environment):
        return subprocess.run(
            [sys.executable, "-m", "daemon.cli.main", *map(str, words)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run


@pytest.fixture(scope="module")
def portrait():
    return cv2.resize(picture.read(samples.ASTRONAUT).pixels, (256, 256), interpolation=3)


def reports(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def one_line(done, code):
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def test_several_photos_with_all_results(defocus, tmp_path, portrait):
    wide = portrait.astype(np.uint16) * 257
    picture.write(tmp_path / "a.jpg", Picture(portrait, metadata=Metadata(dpi=(72, 72))))
    picture.write(tmp_path / "b.png", Picture(wide))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nrest is missing")
    done = defocus(
        *("a.jpg", "broken.png", "b.png", "--out", "results", "--save", "mask,depth,composite"),
        *("--json", "--no-daemon", "--f-number", "1.2"),
    )
    first, broken, _ = reports(done)
    assert done.returncode == 1
    assert "damaged" in broken["error"]
    assert {Path(path).name for path in first["outputs"].values()} == {
        "a_mask.png",
        "a_depth.png",
        "a_composite.jpg",
    }
    assert first["where"].startswith("here")
    assert len(list((tmp_path / "results").iterdir())) == 6

    out = picture.read(tmp_path / "results" / "b_composite.png").pixels
    mask = picture.read_map(tmp_path / "results" / "b_mask.png", (256, 256))
    assert out.dtype == np.uint16
    assert picture.read(tmp_path / "results" / "b_mask.png").pixels.dtype == np.uint16
    inside = cv2.erode(mask, np.ones((9, 9), np.uint8)) == 1
    assert inside.mean() > 0.05
    np.testing.assert_array_equal(out[inside], wide[inside])
    outside = cv2.dilate(mask, np.ones((15, 15), np.uint8)) == 0
    assert np.abs(out[outside].astype(int) - wide[outside]).mean() > 100

    again = defocus(
        *("render", "b.png", "--mask", "results/b_mask.png", "--depth", "results/b_depth.png"),
        *("--out", "again.png", "--json", "--no-daemon", "--f-number", "1.2"),
    )
    assert again.returncode == 0, again.stderr
    difference = picture.read(tmp_path / "again.png").pixels.astype(int) - out
    assert np.abs(difference).mean() < 40  # the maps went through 16 bits


def test_a_float_picture_stays_float(defocus, tmp_path, portrait):
    light = Picture(portrait).linear() * 3  # highlights beyond 1
    picture.write(tmp_path / "hdr.tif", Picture(light, "linear"))
    done = defocus("hdr.tif", "--save", "composite,mask", "--no-daemon", "--quiet", "--json")
    assert done.returncode == 0, done.stderr
    out = picture.read(tmp_path / "hdr_composite.tif").pixels
    mask = picture.read_map(tmp_path / "hdr_mask.tif", (256, 256))
    assert out.dtype == np.float32
    assert out.max() > 1.5
    inside = cv2.erode(mask, np.ones((9, 9), np.uint8)) == 1
    np.testing.assert_array_equal(out[inside], light[inside])


def test_the_daemon_gives_the_same_pixels(defocus, tmp_path, portrait):
    picture.write(tmp_path / "p.png", Picture(portrait))
    try:
        done = defocus("p.png", "--daemon", "--out", "there.png", "--json")
        assert done.returncode == 0, done.stderr
        assert reports(done)[0]["where"].startswith("daemon")
        auto = defocus("p.png", "--out", "auto.png", "--json")
        assert reports(auto)[0]["where"].startswith("daemon")
    finally:
        stopped = defocus("daemon", "stop", "--now")
    assert stopped.returncode == 0, stopped.stderr
    here = defocus("p.png", "--out", "here.png", "--json")
    assert reports(here)[0]["where"].startswith("here")
    pictures = [picture.read(tmp_path / f"{n}.png").pixels for n in ("here", "there", "auto")]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    np.testing.assert_array_equal(pictures[0], pictures[2])


def test_every_bad_input_is_one_line_and_leaves_no_file(defocus, tmp_path):
    Image.new("RGB", (1, 1)).save(tmp_path / "tiny.png")
    Image.new("CMYK", (40, 40)).save(tmp_path / "cmyk.jpg")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("no picture")
    noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "cut.jpg").read_bytes()[:800])
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:])
    tifffile.imwrite(tmp_path / "cut.tif", noise)
    (tmp_path / "cut.tif").write_bytes((tmp_path / "cut.tif").read_bytes()[:90])
    names = [
        "cut.tif",
        "tiny.png",
        "cmyk.jpg",
        "empty.jpg",
        "text.jpg",
        "cut.jpg",
        "moving.png",
        "absent.png",
    ]
    before = set(tmp_path.iterdir())
    done = defocus(*names)
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert done.stdout == ""
    assert [line.split(":")[1].strip() for line in lines] == names
    assert set(tmp_path.iterdir()) == before


class TestRefusedBeforeTheWork:
    """None of these loads a network, so each takes well under a second."""

    @pytest.fixture(autouse=True)
    def photo(self, tmp_path, portrait):
        picture.write(tmp_path / "p.png", Picture(portrait))

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (["--out", "p.png"], "never overwritten"),
            (["--kernel", "k.png", "--out", "k.png"], "never overwritten"),
            (["--out", "nowhere/q.png"], "no such folder"),
            (["--save", "mask", "--map-bits", "16", "--out", "m.jpg"], "cannot hold uint16"),
        ],
    )
    def test_places(self, defocus, tmp_path, words, reason):
        Image.new("L", (8, 8), 255).save(tmp_path / "k.png")
        assert reason in one_line(defocus("p.png", *words), 1)

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (["--out", "q.jpg", "--format", "tif"], "both name the format"),
            (["--out", "q.bmp"], "end a folder's name with /"),
            (["--max-coc", "5", "--f-number", "2"], "give one of them"),
            (["--max-coc", "9999"], "max_coc must be 0 to 1024"),
            (["--blades", "2"], "blades must be"),
            (["--preset", "dreamy", "--style", "paper"], "is a lens"),
            (["--bins", "7"], "only for --style paper"),
            (["--f-number", "0"], "f_number must be greater than 0"),
            (["--kernel", "absent.png"], "absent.png: No such file"),
            (["--subject", "at_focus_point"], "needs --focus X,Y"),
            (["--device", "foo"], "is not auto, cpu, cuda"),
            (["--device", "cpu", "--daemon"], "defocus daemon start --device cpu"),
        ],
    )
    def test_contradictions_and_ranges_are_wrong_use_said_once(self, defocus, words, reason):
        said = one_line(defocus("p.png", "p.png", *words), 2)
        assert reason in said
        assert "see defocus photo --help" in said

    @pytest.mark.parametrize(
        "words",
        [
            ["--focus", "2,3"],
            ["--save", "everything"],
            ["--quality", "0"],
            ["--preset", "unknown"],
            ["--no-such-option"],
        ],
    )
    def test_wrong_use_is_exit_code_2(self, defocus, words):
        assert "see defocus" in one_line(defocus("p.png", *words), 2)

    def test_maps_of_another_size(self, defocus, tmp_path):
        Image.new("L", (20, 20)).save(tmp_path / "m.png")
        done = defocus("render", "p.png", "--mask", "m.png")
        assert "m.png: is 20 x 20 pixels, but the picture is 256 x 256" in one_line(done, 1)

    def test_write_protected_target(self, defocus, tmp_path):
        (tmp_path / "q.png").write_bytes(b"mine")
        (tmp_path / "q.png").chmod(0o444)
        assert "write-protected" in one_line(defocus("p.png", "--out", "q.png"), 1)
        assert (tmp_path / "q.png").read_bytes() == b"mine"

    def test_one_file_for_two_photos(self, defocus, tmp_path):
        (tmp_path / "r.png").write_bytes((tmp_path / "p.png").read_bytes())
        assert "name a folder" in one_line(defocus("p.png", "r.png", "--out", "q.png"), 2)

    def test_a_result_never_replaces_another_picture_of_the_run(self, defocus, tmp_path):
        before = (tmp_path / "p.png").read_bytes()
        (tmp_path / "p_composite.png").write_bytes(before)
        done = defocus("p.png", "absent.png", "p_composite.png", "--json", "--f-number", "8")
        first, absent, last = reports(done)
        assert "p_composite.png: is an input and is never overwritten" in first["error"]
        assert "No such file" in absent["error"]
        assert [Path(path).name for path in last["outputs"].values()] == [
            "p_composite_composite.png"
        ]
        assert (tmp_path / "p_composite.png").read_bytes() == before

    def test_a_format_that_is_only_read_asks_for_another(self, defocus, tmp_path):
        (tmp_path / "q.jfif").write_bytes((tmp_path / "p.png").read_bytes())
        said = one_line(defocus("q.jfif", "--out", "made"), 1)
        assert "cannot write .jfif; give --format jpg" in said
        assert not (tmp_path / "made").exists()

    def test_maps_are_for_render(self, defocus):
        for option in ("--mask", "--depth"):
            assert "defocus render" in one_line(defocus("p.png", option, "m.png"), 2)

    def test_a_mistyped_command_is_none_and_no_photo(self, defocus):
        said = one_line(defocus("daemn", "start"), 2)
        assert "no command or file named daemn" in said
        assert "No such file" in one_line(defocus("absent.jpg"), 1)

    def test_the_help_that_knows_better_is_named(self, defocus):
        assert "see defocus photo --help" in one_line(defocus("p.png", "--bogus"), 2)
        done = defocus("daemon", "start", "--bogus")
        assert "see defocus daemon start --help" in one_line(done, 2)


def test_photos_may_stand_between_options(defocus, tmp_path, portrait):
    for name in "ab":
        picture.write(tmp_path / f"{name}.png", Picture(portrait))
    done = defocus("a.png", "--save", "mask", "b.png", "--out", "made", "--no-daemon")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "made").iterdir()} == {"a_mask.png", "b_mask.png"}
    only = defocus("a.png", "--save", "mask", "--out", "only.png", "--quiet")
    assert only.returncode == 0, only.stderr
    first = tmp_path / "made" / "a_mask.png"
    assert (tmp_path / "only.png").read_bytes() == first.read_bytes()


def test_a_fault_in_one_picture_leaves_the_others(tmp_path, portrait, monkeypatch, capsys):
    class Moody:
        def make(self, job, _):
            if (job.image == 0).all():
                raise ZeroDivisionError("black")
            return Made({"composite": job.image}, None, "here", 0.0, {})

    monkeypatch.setattr(studio, "choose", lambda *_: Moody())
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    picture.write(tmp_path / "black.png", Picture(portrait * 0))
    picture.write(tmp_path / "good.png", Picture(portrait))
    words = [str(tmp_path / f"{name}.png") for name in ("black", "good")]
    assert main.main([*words, "--json"]) == 1
    black, good = map(json.loads, capsys.readouterr().out.splitlines())
    assert "internal fault, ZeroDivisionError: black" in black["error"]
    assert good["outputs"]


def test_a_runtime_folder_that_cannot_be_means_no_daemon(defocus, tmp_path, portrait, environment):
    picture.write(tmp_path / "p.png", Picture(portrait))
    (tmp_path / "file").touch()
    environment = {**environment, "DEFOCUS_RUNTIME_DIR": str(tmp_path / "file" / "run")}
    done = defocus("p.png", "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    assert reports(done)[0]["where"].startswith("here")
    assert "no place for a daemon" in done.stderr
    done = defocus("p.png", "--daemon", "--json", environment=environment)
    assert done.returncode == 1
    assert "no place for a daemon" in reports(done)[0]["error"]


def test_a_mask_of_nobody_is_wrong_use(capsys):
    with pytest.raises(SystemExit, match="2"):
        main.main(["render", "p.png", "--mask", "m.png", "--subject", "none"])
    assert "--mask has no effect beside --subject none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--mask", "m.png", "--matte-model", "x"], "--matte-model has no effect beside --mask"),
        (["--depth", "d.png", "--depth-model", "x"], "--depth-model has no effect beside --depth"),
        (
            ["--depth", "d.png", "--subject", "none", "--matte-model", "x"],
            "--matte-model has no effect beside --depth and --subject none",
        ),
    ],
)
def test_the_model_of_a_map_that_is_given_is_wrong_use(capsys, words, complaint):
    with pytest.raises(SystemExit, match="2"):
        main.main(["render", "p.png", *words])
    assert complaint in capsys.readouterr().err


def test_a_model_of_the_other_task_is_one_line(tmp_path, portrait, capsys):
    picture.write(tmp_path / "p.png", Picture(portrait))
    words = [str(tmp_path / "p.png"), "--no-daemon", "--quiet"]
    for model in ("--matte-model=depth-anything-v2-small", "--depth-model=vitmatte-small"):
        assert main.main([*words, model, "--out", str(tmp_path / "out.png")]) == 1
        assert "see defocus models list" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_a_device_is_for_work_done_here():
    assert isinstance(studio.choose("auto", "cpu"), studio.Here)
    assert isinstance(studio.choose("auto", "auto"), studio.There)


def test_help_and_version_need_no_torch(environment):
    code = "import sys; from daemon.cli.main import main; main(['--version'])"
    probe = f"try:\n {code}\nexcept SystemExit: print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{probe.replace('import sys; ', '')}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "False"


def test_no_words_prints_help_and_fails(defocus):
    done = defocus()
    assert done.returncode == 2
    assert "render" in done.stdout
