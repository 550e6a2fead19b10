"""`defocus batch` as it is typed."""

from __future__ import annotations

import csv
import json

import cv2
import numpy as np
import pytest

from bokeh_core.picture import read
from daemon.cli.main import main


@pytest.fixture
def shoot(tmp_path, monkeypatch):
    """Make four tiny photos in two folders and go there."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    for name in ("a", "b", "church/a", "church/c"):
        path = tmp_path / "w" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = rng.integers(0, 255, (4, 6, 3), np.uint8)
        cv2.imwrite(str(path), cv2.resize(coarse, (48, 32), interpolation=cv2.INTER_CUBIC))
    return tmp_path


@pytest.mark.slow
def test_a_shoot_with_settings_by_folder(shoot, capsys):
    (shoot / "shoot.toml").write_text(
        'format = "png"\n[[photos]]\nmatch = "church/"\npreset = "paper"\n'
        'save = ["composite", "mask"]'
    )
    (shoot / "w" / "broken.jpg").write_text("no picture")
    words = ["batch", "w", "--out", "done", "--settings", "shoot.toml", "--workers", "1"]
    assert main([*words, "--sheet", "--summary", "s.csv", "--json"]) == 1
    told = capsys.readouterr()
    figures = json.loads(told.out)
    assert (figures["done"], figures["failed"]) == (4, 1)
    assert "w/broken.jpg: is not a picture" in told.err
    done = shoot / "done"
    names = {path.relative_to(done).as_posix() for path in done.rglob("*.png")}
    plain = {f"w/{name}_composite.png" for name in ("a", "b", "church/a", "church/c")}
    assert names == plain | {"w/church/a_mask.png", "w/church/c_mask.png"}
    assert read(shoot / "done/w/a_composite.png").width == 48
    assert read(shoot / "done/contact-sheet.jpg").width > 4 * 180
    with (shoot / "s.csv").open(newline="") as file:
        rows = {row["key"]: row for row in csv.DictReader(file)}
    assert rows["w/church/a.jpg"]["outputs"].split("; ") == [
        "w/church/a_composite.png",
        "w/church/a_mask.png",
    ]
    # the same as one photo on its own
    single = ["photo", "w/church/a.jpg", "--preset", "paper", "--no-daemon"]
    assert main([*single, "--out", "single.png"]) == 0
    of_many = read(done / "w/church/a_composite.png").pixels
    assert np.array_equal(read(shoot / "single.png").pixels, of_many)
    # and again: nothing to do; the command line counts more than the file
    assert main([*words, "--json", "--preset", "paper"]) == 1
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (figures["done"], figures["kept"]) == (2, 2)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["w"], "--out"),
        (["--out", "d"], "no SOURCE given"),
        (["nowhere", "--out", "d"], "nowhere: no such file or folder"),
        (["w", "--out", "d", "--from", "none.txt"], "none.txt: No such file"),
        (["w", "--out", "d", "--ship"], "--ship goes with --scheduler"),
        (["w", "--out", "d", "--max-coc", "3", "--f-number", "2"], "both set the blur"),
        (["w", "--out", "d", "--summary", "s.txt"], "a summary is a .csv or a .json file"),
        (["w", "--out", "d", "--depth", "d.png"], "one map cannot belong to several photos"),
        (["w", "--out", "d", "--memory", "no"], "not a number of GB"),
        (["w", "--out", "d", "--f-number", "f/2"], "--f-number: 'f/2' is not a number"),
        (["w", "--out", "d", "--blades", "six"], "--blades: 'six' is not a whole number"),
        (["w", "--out", "w"], "is where the photos lie"),
        (["w", "--out", "d", "--sheet", "w/church/a.jpg"], "is an input and is never overwritten"),
        (["w", "--out", ""], "--out: the name is empty"),
        (["w", "--out", "-"], "not to the standard output"),
        (["w", "--out", "d", "--kernel", "none.png"], "none.png: No such file"),
        (["w", "--out", "d", "--scheduler", "tcp://h:1", "--workers", "2"], "for this machine"),
    ],
)
def test_wrong_use_ends_before_any_work(shoot, capsys, words, complaint):
    with pytest.raises(SystemExit) as ended:
        main(["batch", *words])
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err
    assert not (shoot / "d").exists()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("blades = 2", "blades must be a whole number, 0 or 3 to 16"),
        ("preset = 'soft'", "[[photos]] number 1: argument --preset: invalid choice"),
        ("out = 'x'", "[[photos]] number 1: unrecognized arguments: --out=x"),
        ("max-coc = 3", "--f-number and --max-coc"),
        ("grain = '1,8'", "[[photos]] number 1: argument --grain: '1,8' is not a number"),
    ],
)
def test_a_wrong_settings_file_ends_before_any_work(shoot, capsys, line, complaint):
    (shoot / "s.toml").write_text(f"f-number = 2\n[[photos]]\nmatch = 'church/'\n{line}")
    with pytest.raises(SystemExit) as ended:
        main(["batch", "w", "--out", "d", "--settings", "s.toml"])
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_file_is_no_folder_of_results(shoot, capsys):
    (shoot / "taken").touch()
    assert main(["batch", "w", "--out", "taken"]) == 1
    assert "taken: is a file, not a folder" in capsys.readouterr().err


def test_a_kernel_travels_with_the_settings(shoot):
    from daemon.batch import sources
    from daemon.cli import batch, batch_work
    from daemon.cli.main import _Parser

    cv2.imwrite("k.png", np.full((5, 5), 255, np.uint8))
    parser = _Parser()
    batch.configure(parser)
    words = ["w", "--out", "d", "--kernel", "k.png"]
    args = parser.parse_intermixed_args(words)
    args.words = words
    (source, *_) = sources.find(["w"], shoot / "d")
    orders = batch_work.Orders(args, batch.configure, ())
    before = orders(source)
    cv2.imwrite("k.png", np.full((7, 7), 255, np.uint8))
    after = batch_work.Orders(args, batch.configure, ())(source)
    assert before.decides != after.decides
    assert before.work.kernel != after.work.kernel
