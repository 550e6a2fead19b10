"""The command line as a user runs it: a process of its own on real files."""

import json
import os
import shlex
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
from daemon.cli import backend, main
from daemon.cli.backend import Made
from tests import rights

ROOT = Path(__file__).parents[3]


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
            (["--out", ""], "--out: the name is empty"),
            (["--out", "-"], "--out: results go into files, not to the standard output"),
            (["--kernel", ""], "--kernel: the name is empty"),
            (["--depth", ""], "--depth: the name is empty"),
            ([""], "PHOTO: the name is empty"),
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
        ("words", "reason"),
        [
            (["p.png", "--focus", "0.4", "0.3"], "one word, without a space: --focus 0.4,0.3"),
            (["--focus", "0.4,", "0.3", "p.png"], "one word, without a space: --focus 0.4,0.3"),
            (["-p.png"], "write ./-p.png, or put -- before"),
            (["photo", "p.png", "-p.png"], "write ./-p.png, or put -- before"),
            (["p.png", "--matte-model", "run x"], f"its weights are {Path('run x')}"),
            (["p.png", "--depth-model", "mine.onnx"], "they end in .safetensors"),
        ],
    )
    def test_slips_are_answered_by_what_was_meant(self, defocus, tmp_path, words, reason):
        (tmp_path / "-p.png").write_bytes((tmp_path / "p.png").read_bytes())
        (tmp_path / "run x").mkdir()
        (tmp_path / "run x" / "weights.safetensors").touch()
        (tmp_path / "mine.onnx").touch()
        assert reason in one_line(defocus(*words), 2)

    def test_a_folder_is_for_a_batch(self, defocus, tmp_path):
        (tmp_path / "my shoot").mkdir()
        said = one_line(defocus("my shoot"), 1)
        assert "`defocus batch 'my shoot' --out DIR` does all photos in it" in said

    @pytest.mark.parametrize(
        ("name", "begin"), [("JPEG", b"\xff\xd8"), (".jpg", b"\xff\xd8"), ("tiff", b"II*\0")]
    )
    def test_formats_by_the_names_that_people_use(self, defocus, tmp_path, name, begin):
        done = defocus("p.png", "--subject", "none", "--f-number", "9", "--format", name)
        assert done.returncode == 0, done.stderr
        (made,) = (path for path in tmp_path.iterdir() if path.stem == "p_composite")
        assert made.read_bytes().startswith(begin)

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
        Image.new("L", (20, 30)).save(tmp_path / "m.png")
        done = defocus("render", "p.png", "--mask", "m.png")
        assert "m.png: is 20 x 30 pixels, but the picture is 256 x 256" in one_line(done, 1)

    def test_write_protected_target(self, defocus, tmp_path):
        (tmp_path / "q.png").write_bytes(b"mine")
        (tmp_path / "q.png").chmod(0o444)
        for words, code, said in (([], 2, "there already"), (["--overwrite"], 1, "protected")):
            assert said in one_line(defocus("p.png", "--out", "q.png", *words), code)
            assert (tmp_path / "q.png").read_bytes() == b"mine"

    @pytest.mark.parametrize(
        ("words", "named"),
        [
            (["secret.png"], "secret.png"),
            (["locked/p.png"], "locked/p.png"),
            (["p.png", "--kernel", "secret.png"], "secret.png"),
            (["p.png", "--depth", "secret.png"], "secret.png"),
            (["p.png", "--matte-model", "secret.safetensors"], "secret.safetensors"),
            (["p.png", "--out", "shelf"], "shelf"),
            (["p.png", "--out", "shelf/q.png"], "shelf"),
            (["p.png", "--out", "shelf/new/"], "shelf/new"),
            (["p.png", "--out", "locked/q.png"], "locked/q.png"),
            (["demo", "--out", "shelf"], "shelf"),
            (["paper", "p.png", "--out", "shelf"], "shelf"),
            (["compare", "p.png", "--out", "shelf"], "shelf"),
            (["batch", "locked", "--out", "done"], "locked"),
        ],
    )
    def test_a_missing_right_is_told_with_the_place_and_the_cure(
        self, environment, tmp_path, words, named
    ):
        for name in ("secret.png", "secret.safetensors"):
            (tmp_path / name).write_bytes((tmp_path / "p.png").read_bytes())
            (tmp_path / name).chmod(0)
        for name, mode in (("locked", 0), ("shelf", 0o555)):
            (tmp_path / name).mkdir(mode=mode)
        command = rights.bound([sys.executable, "-m", "daemon.cli.main", *words])
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        said = one_line(done, 2 if {"--kernel", "batch"}.intersection(words) else 1)
        assert f"{named}: " in said
        assert "have its owner allow it, or use another file or folder" in said

    def test_a_named_file_that_is_there_stays_unless_it_may_go(self, defocus, tmp_path):
        quick = ("p.png", "--out", "q.png", "--subject", "none", "--f-number", "9", "--quiet")
        (tmp_path / "q.png").touch()  # as mktemp reserves a name
        assert defocus(*quick).returncode == 0
        made = (tmp_path / "q.png").read_bytes()
        said = one_line(defocus(*quick, "--f-number", "4"), 2)
        assert "--out q.png: is there already; --overwrite replaces it" in said
        assert (tmp_path / "q.png").read_bytes() == made
        assert defocus(*quick, "--f-number", "4", "--overwrite").returncode == 0
        assert (tmp_path / "q.png").read_bytes() != made
        photo = ("p.png", "--out", "p.png", "--overwrite")
        assert "is an input and is never overwritten" in one_line(defocus(*photo), 1)

    def test_one_file_for_two_photos(self, defocus, tmp_path):
        (tmp_path / "r.png").write_bytes((tmp_path / "p.png").read_bytes())
        assert "name a folder" in one_line(defocus("p.png", "r.png", "--out", "q.png"), 2)

    def test_a_result_never_replaces_another_picture_of_the_run(self, defocus, tmp_path):
        before = (tmp_path / "p.png").read_bytes()
        (tmp_path / "p_composite.png").write_bytes(before)
        done = defocus(
            *("p.png", "absent.png", "p_composite.png"), "--json", "--force", "--f-number", "8"
        )
        first, absent, last = reports(done)
        assert "p_composite.png: is an input and is never overwritten" in first["error"]
        assert "No such file" in absent["error"]
        assert [Path(path).name for path in last["outputs"].values()] == [
            "p_composite_composite.png"
        ]
        assert (tmp_path / "p_composite.png").read_bytes() == before

    def test_a_file_named_as_another_format_keeps_its_own(self, defocus, tmp_path):
        (tmp_path / "q.bmp").write_bytes((tmp_path / "p.png").read_bytes())
        done = defocus("q.bmp", "--subject", "none", "--f-number", "9", "--quiet")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "q_composite.png").read_bytes().startswith(b"\x89PNG")

    def test_maps_that_suit_no_photo(self, defocus):
        assert "defocus render" in one_line(defocus("p.png", "--mask", "m.png"), 2)
        said = one_line(defocus("p.png", "p.png", "--depth", "m.png"), 2)
        assert "one map cannot belong to several photos" in said
        assert "needs --depth FILE" in one_line(defocus("p.png", "--depth-inverted"), 2)
        assert "no depth map of its own" in one_line(defocus("p.png", "--depth", "own"), 1)

    def test_a_mistyped_command_is_none_and_no_photo(self, defocus):
        said = one_line(defocus("daemn", "start"), 2)
        assert "no command or file named daemn" in said
        assert "No such file" in one_line(defocus("absent.jpg"), 1)

    def test_the_help_that_knows_better_is_named(self, defocus):
        assert "see defocus photo --help" in one_line(defocus("p.png", "--bogus"), 2)
        done = defocus("daemon", "start", "--bogus")
        assert "see defocus daemon start --help" in one_line(done, 2)


class TestManners:
    """What shells, pipes and earlier runs hand in; nearly all without the networks."""

    QUICK = ("--no-daemon", "--subject", "none", "--depth", "d.png")

    @pytest.fixture(autouse=True)
    def photo(self, tmp_path, portrait):
        small = cv2.resize(portrait, (64, 64))
        picture.write(tmp_path / "p.png", Picture(small))
        slope = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
        picture.write_map(tmp_path / "d.png", slope)

    def test_a_name_may_begin_with_a_dash(self, defocus, tmp_path):
        (tmp_path / "p.png").rename(tmp_path / "-p.png")
        done = defocus(*self.QUICK, "--", "-p.png")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "-p_composite.png").exists()

    def test_a_name_may_be_as_long_as_the_system_allows(self, defocus, tmp_path):
        stem = "n" * (255 - len("_composite.png"))
        (tmp_path / "p.png").rename(tmp_path / f"{stem}.png")
        done = defocus(f"{stem}.png", *self.QUICK)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / f"{stem}_composite.png").exists()

    @pytest.mark.skipif(os.name != "posix", reason="a shell's redirection")
    @pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&- >&- 2>&-"])
    def test_closed_streams_are_nobodys_loss(self, tmp_path, environment, closed):
        words = shlex.join([sys.executable, "-m", "daemon.cli.main", "p.png", *self.QUICK])
        done = subprocess.run(
            ["sh", "-c", f"{words} {closed}"],
            env=environment,
            cwd=tmp_path,
            check=False,
            capture_output=True,
        )
        assert done.returncode == 0
        assert picture.read(tmp_path / "p_composite.png").width == 64

    def test_results_of_an_earlier_run_are_no_photos(self, defocus, tmp_path):
        for name in ("p.png", "p_composite.png"):
            picture.write(tmp_path / name, picture.read(tmp_path / "p.png"))
        done = defocus("p.png", "p_composite.png", "--no-daemon", "--subject", "none")
        assert done.returncode == 0, done.stderr
        assert "p_composite.png: note: is a result made of p.png and was left out" in done.stderr
        assert {path.name for path in tmp_path.glob("p*")} == {"p.png", "p_composite.png"}
        assert defocus("p_composite.png", *self.QUICK).returncode == 1
        forced = defocus("p_composite.png", *self.QUICK, "--force")
        assert forced.returncode == 0, forced.stderr

    @pytest.mark.skipif(os.name != "posix", reason="Windows allows no such names")
    def test_names_reach_the_terminal_escaped(self, defocus, tmp_path):
        (tmp_path / "e\x1b[31m.png").write_bytes(b"")
        said = one_line(defocus("e\x1b[31m.png", *self.QUICK), 1)
        assert said.startswith("defocus: e\\x1b[31m.png: is empty")

    @pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's")
    @pytest.mark.parametrize("gigabytes", [0.3, 3])
    def test_too_little_memory_is_said_also_while_libraries_load(
        self, tmp_path, environment, gigabytes
    ):
        words = [f"--as={int(gigabytes * 1e9)}", sys.executable, "-m", "daemon.cli.main", "p.png"]
        done = subprocess.run(
            ["prlimit", *words, "--no-daemon"],
            env=environment,
            cwd=tmp_path,
            check=False,
            capture_output=True,
            text=True,
        )
        assert "not enough memory" in one_line(done, 1)


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


@pytest.mark.parametrize("where", ["--no-daemon", "--daemon"])
def test_a_picture_of_nobody_is_told(defocus, tmp_path, portrait, where):
    picture.write(tmp_path / "wall.png", Picture(0 * portrait + 120))
    told = "no person found: focused by depth"
    done = defocus("wall.png", where, "--json")
    assert reports(done)[0]["notes"] == [told]
    plain = defocus("wall.png", where, "--quiet", "--out", "b.png")
    assert f"wall.png: note: {told}" in plain.stderr


def test_a_fault_in_one_picture_leaves_the_others(tmp_path, portrait, monkeypatch, capsys):
    class Moody:
        def make(self, job, _):
            if (job.image == 0).all():
                raise ZeroDivisionError("black")
            return Made({"composite": job.image}, None, "here", 0.0, {})

    monkeypatch.setattr(backend, "choose", lambda *_: Moody())
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


@pytest.mark.parametrize("matte_model", [(), ("--matte-model", "portrait")])
def test_a_mask_from_a_file_rules_at_every_depth(tmp_path, portrait, monkeypatch, matte_model):
    monkeypatch.chdir(tmp_path)
    picture.write(Path("p.png"), Picture(portrait))
    words = ["p.png", "--no-daemon", "--quiet"]
    assert main.main([*words, "--save", "mask", "--out", "found.png"]) == 0
    found = picture.read_map(Path("found.png"), (256, 256))
    Image.new("L", (256, 256)).save("nobody.png")
    Image.new("L", (256, 256), 128).save("flat.png")
    words += ["--depth", "flat.png", "--focus", "0.5", "--focus-range", "0.1", "--max-coc", "32"]
    changed = {}
    for mask in ("found.png", "nobody.png"):
        options = ["--mask", mask, *matte_model, "--out", "out.png", "--overwrite"]
        assert main.main(["render", *words, *options]) == 0
        changed[mask] = (picture.read(Path("out.png")).pixels != portrait).any(axis=2)
    assert not changed["found.png"].any(), "all of it is in focus, and nothing was decided"
    assert changed["nobody.png"][found == 1].mean() > 0.9
    around = cv2.dilate(found, np.ones((31, 31), np.uint8))
    assert not changed["nobody.png"][around == 0].any()


def test_a_mask_of_nobody_is_wrong_use(capsys):
    with pytest.raises(SystemExit, match="2"):
        main.main(["render", "p.png", "--mask", "m.png", "--subject", "none"])
    assert "--mask has no effect beside --subject none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--mask", "own", "--matte-model", "x"], "--matte-model has no effect beside --mask"),
        (
            ["--mask", "m.png", "--preset", "paper", "--refine", "none"],
            "--refine has no effect beside --mask",
        ),
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
    assert isinstance(backend.choose("auto", "cpu"), backend.Here)
    assert isinstance(backend.choose("auto", None), backend.There)


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
