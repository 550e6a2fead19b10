"""What the doctor advises."""

from __future__ import annotations

import pytest

from daemon.cli import doctor
from daemon.cli.main import main
from daemon.setup.doctor import Finding


@pytest.mark.parametrize(("step", "advised"), [("", True), ("Turn it round.", False)])
def test_the_general_cure_is_named_only_for_what_has_none_of_its_own(
    step, advised, monkeypatch, capsys
):
    broken = Finding(good=False, text="upside down", mend=step)
    monkeypatch.setattr(doctor, "outside", lambda *_: [broken])
    for look in ("_torch", "_weights", "_files", "_extras", "_daemon", "_memory"):
        monkeypatch.setattr(doctor, look, lambda: Finding(good=True, text="well"))
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert ("To mend: " in said) == advised
    assert step in said
