"""What users do to the image between two renders, or while one is computed; a fake daemon."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fakes.daemon import DTYPES, FakeDaemon
from tests.gimp.conftest import Gimp

MEMBERS = ["Mask", "Depth", "Composite"]
OUTER = [["Outer", [["Bokeh", MEMBERS], "photo"]]]


@pytest.fixture(scope="module")
def played(root, home, tmp_path_factory):
    """What the script noted, and what the daemon was asked."""
    with FakeDaemon(tmp_path_factory.mktemp("fake")) as daemon:
        gimp = Gimp(root, tmp_path_factory.mktemp("out"), home, daemon.directory)
        gimp.batch("changes.py")
        return gimp.read("facts"), daemon


@pytest.fixture(scope="module")
def facts(played):
    """What the script noted."""
    return played[0]


def test_a_map_means_the_same_in_every_precision(played):
    facts, daemon = played
    asked = [m for m in daemon.heard if m["type"] == "render" and m["matte"] and m["depth"]]
    painted, *converted = asked
    assert len(facts["precision"]) == 18
    assert len(converted) == 18 + 1 + len(facts["begun afresh"])  # the first one comes last again
    for message in (painted, *converted):
        rough = message["image"]["dtype"] == "u8" and message["image"]["transfer"] == "linear"
        for name, (x, y), grey in (("matte", (5, 5), 128), ("depth", (35, 20), 60)):
            value = plane(daemon, message[name])[y, x] * 255
            assert value == pytest.approx(grey, abs=4 if rough else 1), message["image"]
    for precision, difference in facts["precision"].items():
        # the fake daemon darkens by the numbers, which are others in linear light
        assert difference <= (24 if precision == "U8_LINEAR" else 3), precision


def plane(daemon, header):
    dtype, full = DTYPES[header["dtype"]]
    samples = np.frombuffer(daemon.stored[header["digest"]], dtype)
    return samples.reshape(header["height"], header["width"]) / full


@pytest.mark.parametrize("precision", ["U16_NON_LINEAR", "FLOAT_LINEAR"])
def test_a_change_of_precision_is_no_paint(facts, precision):
    brightest, tree = facts[f"unpainted {precision}"]
    assert brightest == 0
    assert tree == [["Bokeh", MEMBERS], "photo"]


@pytest.mark.parametrize("where", ["composite", "mask", "group", "outer", "source"])
def test_locks_are_lifted_and_put_back(facts, where):
    assert facts[f"locked {where}"] == [[True, True, True], True, OUTER]


def test_a_first_render_in_a_locked_group(facts):
    assert facts["made in a locked group"] == [OUTER, False, True]


def test_a_painted_composite_is_laid_aside(facts):
    tree, clean, kept, visible, active = facts["painted Composite"]
    assert tree == [["Bokeh", [*MEMBERS, "Composite, painted by hand"]], "photo"]
    assert clean, "the new Composite is not the rendered one"
    assert kept, "what was painted is gone"
    assert visible == [False, False, True, False]
    assert active == ["Mask"]
    assert facts["laid aside once"] == [tree, ["Mask"]]
    assert facts["active Composite"] == ["Composite"]
    assert facts["converted Composite"] == tree


def test_the_eye_of_a_map_shows_it(facts):
    assert facts["above"] == [0, 1, 2]
    assert facts["veil"] == [50.0, 50.0]


@pytest.mark.parametrize(
    "case",
    [
        "group deleted",
        "photo deleted",
        "image scaled",
        "image scaled before",
        "photo painted",
        "mask painted",
        "converted",
    ],
)
def test_an_image_that_changes_meanwhile_is_left_as_it_is(facts, case):
    assert "was changed while its blur was computed" in facts[case]
    assert facts[f"{case} untouched"]
