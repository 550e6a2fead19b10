"""The plug-in in the folders of every Krita, and the line in its settings that has it loaded."""

import shutil
from pathlib import Path

import pytest

from daemon.setup import doctor, krita, service
from daemon.setup.outside import Outside
from daemon.setup.places import Places
from daemon.setup.removal import Removal
from daemon.setup.steps import Steps
from tests.daemon.setup.conftest import files

ROOT = Path(__file__).parents[3]
SETTINGS = """ResourceDirectory=

[General]
first=1

[python]
enable_scripter=true

[theme]
Theme=Krita dark
"""


@pytest.fixture
def data(home):
    """The folder of a Krita's resources, as it makes it at its first start."""
    folder = home / ".local/share/krita"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def plugin(places, environment, data):
    """The plug-in of that Krita."""
    (found,) = krita.plugins(places, environment)
    return found


@pytest.mark.parametrize(
    ("system", "folder", "settings"),
    [
        ("linux", ".local/share/krita", ".config/kritarc"),  # also AppImage
        (
            "linux",
            ".var/app/org.kde.krita/data/krita",
            ".var/app/org.kde.krita/config/kritarc",
        ),
        ("win32", "AppData/Roaming/krita", "AppData/Local/kritarc"),
        (
            "win32",
            "AppData/Local/Packages/49800Krita_x/LocalCache/Roaming/krita",
            "AppData/Local/Packages/49800Krita_x/LocalCache/Local/kritarc",
        ),
        ("darwin", "Library/Application Support/krita", "Library/Preferences/kritarc"),
    ],
)
def test_every_systems_krita_gets_it_and_is_told_to_load_it(
    home, environment, system, folder, settings
):
    (home / folder).mkdir(parents=True)
    (plugin,) = krita.plugins(Places(system, home, {}), environment)
    assert "not installed" in plugin.faults()
    plugin.copy()
    assert plugin.faults() == []
    assert (home / folder / "pykrita/defocus_bokeh/daemon/light/client.py").is_file()
    assert (home / folder / "pykrita/defocus_bokeh.desktop").is_file()
    assert (home / settings).read_text() == "[python]\nenable_defocus_bokeh=true\n"
    assert plugin.remove() == []
    assert files(home / folder) == {"pykrita"}
    assert not (home / settings).exists()


def test_a_krita_that_never_ran_is_found_by_its_program(home, environment, tmp_path):
    assert krita.plugins(Places("linux", home, {"PATH": str(tmp_path)}), environment) == []
    (tmp_path / "krita").touch(0o755)
    (plugin,) = krita.plugins(Places("linux", home, {"PATH": str(tmp_path)}), environment)
    assert plugin.folder == home / ".local/share/krita"


def test_a_resource_folder_of_the_users_choice_is_followed(places, environment, home, data):
    (home / ".config/kritarc").write_text(f"ResourceDirectory={home / 'painting'}\n")
    (plugin,) = krita.plugins(places, environment)
    assert plugin.folder == home / "painting"


def test_all_other_settings_stay(plugin, home):
    settings = home / ".config/kritarc"
    settings.write_text(SETTINGS)
    settings.chmod(0o600)
    plugin.copy()
    text = settings.read_text()
    assert "[python]\nenable_defocus_bokeh=true\nenable_scripter=true\n" in text
    assert settings.stat().st_mode & 0o777 == 0o600
    plugin.copy()
    assert settings.read_text() == text
    plugin.remove()
    assert settings.read_text() == SETTINGS


def test_one_that_was_switched_off_is_noticed_and_mended(plugin, home):
    plugin.copy()
    settings = home / ".config/kritarc"
    settings.write_text("[python]\nenable_defocus_bokeh=false\n")
    assert plugin.faults() == [f"it is not switched on in {settings}"]
    plugin.copy()
    assert plugin.faults() == []
    assert settings.read_text().count("enable_defocus_bokeh") == 1


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (lambda t: (t / "panel.py").unlink(), "panel.py is missing"),
        (lambda t: (t / "daemon/light/client.py").write_text("old"), "another version"),
        (lambda t: t.with_suffix(".desktop").unlink(), "missing beside it"),
        (lambda t: (t / "launcher.json").write_text("{}"), "another copy"),
    ],
)
def test_harm_is_found_and_mended(plugin, harm, word):
    plugin.copy()
    harm(plugin.target)
    assert word in " ".join(plugin.faults())
    plugin.copy()
    assert plugin.faults() == []


def test_what_is_not_ours_stays(plugin):
    plugin.copy()
    mine = plugin.target / "notes.txt"
    mine.write_text("mine")
    other = plugin.target.with_name("scripter")
    other.mkdir()
    plugin.copy()
    assert plugin.remove() == [mine]
    assert other.is_dir()
    assert not krita.is_named(plugin.settings), "Krita would look for what is gone"


def test_another_authors_plugin_of_that_name_is_left_alone(plugin):
    plugin.target.mkdir(parents=True)
    (plugin.target / "__init__.py").write_text("# my own")
    assert "not this plug-in" in " ".join(plugin.faults())
    assert plugin.remove() == [plugin.target]


def test_a_plugin_that_is_somebody_elses_is_not_said_to_be_removed(
    plugin, places, environment, capsys
):
    plugin.target.mkdir(parents=True)
    (plugin.target / "__init__.py").write_text("# my own")
    removing = Removal(Steps(dry=True), places, environment)
    removing.outside()
    assert str(plugin.target) not in capsys.readouterr().out
    assert removing.kept == [f"{plugin.target} is not this plug-in's"]


def test_install_doctor_and_uninstall_cover_both_editors(
    places, environment, home, data, steps, monkeypatch
):
    monkeypatch.setattr(service, "_call", lambda _: None)
    before = files(home)
    Outside(places, environment).install(steps)
    text = "\n".join(f.text for f in doctor.outside(places, environment))
    assert f"Krita: {data}" in text
    assert f"plug-in in {data}: up to date" in text
    assert f"plug-in in {home / '.config/GIMP/3.2'}: up to date" in text
    removing = Removal(steps, places, environment)
    removing.outside()
    assert removing.kept == []
    assert files(home) == before


def test_a_plugin_whose_krita_is_gone_is_taken_away_by_what_was_noted(
    places, environment, home, data, steps, monkeypatch
):
    monkeypatch.setattr(service, "_call", lambda _: None)
    Outside(places, environment).install(steps)
    elsewhere = home / "moved"
    shutil.move(data, elsewhere)
    (home / ".config/kritarc").write_text(f"ResourceDirectory={elsewhere}\n")
    Removal(steps, places, environment).outside()
    assert not (elsewhere / "pykrita").exists() or not list((elsewhere / "pykrita").iterdir())


def test_what_a_user_has_half_removed_goes_whole(plugin, places, environment, data, steps):
    plugin.copy()
    shutil.rmtree(plugin.target)
    removing = Removal(steps, places, environment)
    removing.outside()
    assert removing.kept == []
    assert not plugin.settings.exists()
    assert files(data) == {"pykrita"}


def test_a_second_removal_promises_nothing_and_names_what_stays(
    plugin, places, environment, steps, capsys
):
    plugin.copy()
    mine = plugin.target / "notes.txt"
    mine.write_text("mine")
    for announced in (True, False):
        removing = Removal(steps, places, environment)
        removing.outside()
        said = capsys.readouterr().out
        assert (f"remove {plugin.target}" in said) is announced
        assert removing.kept == [f"{mine} is not this plug-in's"]


def test_why_there_is_no_krita_is_said(places, home):
    assert "start it once" in krita.why_none(places)
    (home / "snap/krita").mkdir(parents=True)
    assert "Snap" in krita.why_none(places)
