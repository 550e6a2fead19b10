"""Every attack of the table is fended off."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.attacks.__main__ import main
from tests.attacks.folders import by_tests
from tests.attacks.table import ATTACKS

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="they count in /proc"),
]


TESTS_OF_THEIR_OWN = [attack for attack in ATTACKS if getattr(attack.run, "func", None) is by_tests]


@pytest.mark.parametrize(
    "attack", [a for a in ATTACKS if a not in TESTS_OF_THEIR_OWN], ids=lambda attack: attack.name
)
def test_it_is_fended_off(attack):
    assert attack.run()


def test_those_that_are_tests_name_tests_that_are_there():
    for attack in TESTS_OF_THEIR_OWN:
        file, word = attack.run.args
        assert word in (ROOT / file).read_text(encoding="utf-8"), attack.name


def test_an_attack_that_does_not_exist_is_not_a_pass(capsys):
    assert main(["--only", "no such attack"]) == 2
    assert "no attack" in capsys.readouterr().err
