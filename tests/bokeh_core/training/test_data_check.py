"""Every fault of a data set is found at once, and only what is one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bokeh_core.training import data_check
from daemon.cli.main import main


def spoil(folder):
    """Break one picture in every way that there is; returns what should be said."""
    mask = cv2.imread(str(folder / "007_mask.png"), 0)
    whole = (folder / "000.jpg").read_bytes()
    (folder / "000.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "000_depth.png").write_bytes(b"no picture")
    cv2.imwrite(str(folder / "001_mask.png"), mask.T)
    (folder / "001_depth.png").write_bytes(b"")
    cv2.imwrite(str(folder / "002_mask.png"), mask // 255)
    cv2.imwrite(str(folder / "003_mask.png"), np.dstack((*[np.full_like(mask, 255)] * 3, mask)))
    cv2.imwrite(str(folder / "004_mask.png"), np.zeros_like(mask))
    cv2.imwrite(str(folder / "005_depth.png"), np.full((48, 36), 9, np.uint8))
    cv2.imwrite(str(folder / "006_mask.png"), cv2.GaussianBlur(mask, (0, 0), 2))
    return {
        ("drawn/000", "unreadable"): 2,
        ("drawn/001", "proportions"): 1,
        ("drawn/001", "unreadable"): 1,
        ("drawn/002", "scale"): 1,
        ("drawn/003", "alpha only"): 1,
        ("drawn/004", "constant"): 1,
        ("drawn/005", "constant"): 1,
        ("drawn/006", "soft"): 1,
    }


def test_all_faults_are_listed_at_once(portraits):
    wanted = spoil(portraits / "drawn")
    found = [(fault.key, fault.kind) for fault in data_check.check(portraits, ()).faults]
    assert {fault: found.count(fault) for fault in found} == wanted
    assert found == sorted(found, key=lambda fault: fault[0])


def test_a_sound_set_has_no_faults_and_its_figures_are_right(portraits):
    report = data_check.check(portraits, ())
    assert report.faults == []
    masks = [cv2.imread(str(path), 0) for path in (portraits / "drawn").glob("*_mask.png")]
    covers = [one.cover for one in report.seen]
    assert np.mean(covers) == pytest.approx(np.mean(masks) / 255)
    assert {(one.width, one.height, one.between) for one in report.seen} == {(72, 96, 0.0)}


def test_mattes_that_are_all_soft_are_meant_so(portraits):
    for path in (portraits / "drawn").glob("*_mask.png"):
        cv2.imwrite(str(path), cv2.GaussianBlur(cv2.imread(str(path), 0), (0, 0), 2))
    assert data_check.check(portraits, ()).faults == []


def test_values_that_mean_nothing_and_labels_that_say_nothing_are_faults(portraits):
    folder = portraits / "drawn"
    (folder / "labels.json").write_text(
        '{"mask": {"255": "person", "128": "unknown", "0": "neither"}}'
    )
    cv2.imwrite(str(folder / "003_mask.png"), np.full((96, 72), 77, np.uint8))
    cv2.imwrite(str(folder / "004_mask.png"), np.full((96, 72), 128, np.uint8))
    cv2.imwrite(str(folder / "005_mask.png"), np.zeros((96, 72), np.uint8))  # nobody: no fault
    found = {fault.key: fault.kind for fault in data_check.check(portraits, ()).faults}
    assert found == {"drawn/003": "unknown value", "drawn/004": "constant"}


def test_the_command_prints_a_table_and_every_fault(portraits, capsys):
    assert main(["train", "check", str(portraits)]) == 0
    said = capsys.readouterr().out
    assert "| drawn | 30 | 26 | 1 | 3 | 30 | 30 | 96 to 96 |" in said
    assert "no faults" in said
    spoil(portraits / "drawn")
    assert main(["train", "check", str(portraits), "--folders", "drawn"]) == 1
    said = capsys.readouterr().out
    assert "faults: 3 unreadable, 2 constant" in said
    assert "in 7 of 30 pictures" in said
    assert said.count("\nunreadable\t") == 3
    assert main(["train", "check", str(portraits), "--split", "published"]) == 1
    assert "no list that came with the data names drawn/000" in capsys.readouterr().err
