"""Own presets in a real GIMP: saved by name, changed under it, deleted; a damaged file."""

from __future__ import annotations

import json

import pytest

from daemon.light.parameters import PRESETS, Parameters, look_of


def with_own_settings(gimp):
    """Keep the presets of this scene apart from those of others."""
    gimp.env["DEFOCUS_CONFIG_DIR"] = str(gimp.out / "config")


@pytest.fixture(scope="module")
def facts(play):
    """What was kept in the image and in the file, step by step."""
    gimp = play("presets_gimp.py", "presets_desk.py", timeout=300, ready=with_own_settings)
    return {**gimp.read("facts"), "complaints": gimp.complaints()}


def test_a_look_is_saved_by_its_name_in_the_file_of_the_command_line(facts):
    chosen = Parameters.from_record(facts["chosen"])
    second = list(PRESETS)[2]
    assert chosen.preset == second
    assert json.loads(facts["saved"]) == {"format": 1, "presets": {"Ulla": look_of(chosen)}}


def test_a_changed_preset_keeps_its_name(facts):
    assert facts["changed"]["preset"] == "custom"
    assert facts["changed"]["based_on"] == "Ulla"
    assert facts["changed"]["f_number"] != facts["chosen"]["f_number"]


def test_a_damaged_file_stays_as_it_is_and_ready_made_presets_work_on(facts):
    assert facts["left as it was"]
    assert facts["beside damage"]["preset"] != "custom"


def test_a_preset_is_deleted(facts):
    assert json.loads(facts["deleted"]) == {"format": 1, "presets": {}}


def test_nothing_is_complained_about_in_the_terminal(facts):
    assert facts["complaints"] == []
