"""Depth from the photo's own file or from another, by the command as a user runs it."""

import numpy as np
import pytest
from PIL import Image

from bokeh_core import picture
from daemon.cli import main
from tests.bokeh_core.picture.corpus.test_phone_depth import NEAR, SIDE, beside, mpo, small

QUICK = ("--no-daemon", "--subject", "none", "--save", "depth", "--map-bits", "16")


@pytest.fixture
def defocus(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    depth = beside(
        small(NEAR, 6), AuxiliaryImageType="disparity", FloatMinValue=0.25, FloatMaxValue=2.0
    )
    (tmp_path / "p.jpg").write_bytes(mpo(6, depth))
    Image.fromarray(np.rint((1 - NEAR) * 255).astype(np.uint8)).save(tmp_path / "black-is-near.png")
    Image.fromarray(np.full(SIDE, 90, np.uint8)).save(tmp_path / "flat.png")

    def run(*words, code=0):
        assert main.main(["p.jpg", *QUICK, *words]) == code
        return capsys.readouterr().err

    return run


def made(tmp_path):
    return picture.read_map(tmp_path / "p_depth.png", SIDE[::-1])


def test_the_phones_own_depth_is_used_with_a_note(defocus, tmp_path):
    for words in ((), ("--depth", "own")):
        said = defocus(*words)
        assert "note: the depth is the one inside the file, 48 x 32, distances in metres" in said
        found = made(tmp_path)
        assert found[48, 55] == pytest.approx(0.75, abs=0.05)
        assert (found[10, 10], found[90, 70]) == pytest.approx((0, 1), abs=0.08)


def test_an_inverted_file_is_turned(defocus, tmp_path):
    assert defocus("--depth", "black-is-near.png", "--depth-inverted") == ""
    np.testing.assert_allclose(made(tmp_path), NEAR, atol=3e-3)


def test_a_flat_depth_is_named(defocus):
    said = defocus("--depth", "flat.png")
    assert "flat.png: the depth is the same everywhere, so nothing is blurred by it" in said


def test_an_f_number_is_physical_where_distances_are_known(defocus, monkeypatch):
    from daemon.cli import develop

    seen = []
    usual = develop.options.lens_of
    monkeypatch.setattr(
        develop.options, "lens_of", lambda *w, **k: seen.append(usual(*w, **k)) or seen[-1]
    )
    chosen = []
    for words in (("--f-number", "2"), ("--f-number", "2", "--focal-length", "85")):
        defocus(*words)
        chosen.append(seen[-1].max_coc)
    physical = picture.Scene((0.25, 2.0), 26.0).coc(2.0, SIDE[1])
    assert chosen[0] == pytest.approx(physical, rel=0.05)
    assert chosen[1] > 2 * physical
