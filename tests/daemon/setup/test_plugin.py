"""The plug-in in the folders of every GIMP: whole, mended, never over somebody else's files."""

import json
import os
import shutil
from pathlib import Path

import pytest

from daemon.server import presence
from daemon.setup import gimp
from daemon.setup.outside import announce
from daemon.setup.places import Places
from daemon.setup.plugin import Plugin
from daemon.setup.problems import SetupProblem
from tests.daemon.setup.conftest import files

ROOT = Path(__file__).parents[3]


@pytest.fixture
def plugins(places, environment):
    """The plug-in of each GIMP."""
    return [Plugin(folder, environment) for folder in gimp.folders(places)]


@pytest.fixture
def plugin(plugins):
    """The plug-in of the first GIMP."""
    return plugins[0]


def test_every_gimp_gets_a_copy_that_is_up_to_date(plugins, home, environment):
    assert [plugin.folder for plugin in plugins] == [
        home / ".config" / "GIMP" / version for version in ("3.0", "3.2")
    ]
    for plugin in plugins:
        assert plugin.faults() == ["not installed"]
        plugin.copy()
        assert plugin.faults() == []
        assert os.access(plugin.target / "bokeh.py", os.X_OK)
        command = json.loads((plugin.target / "launcher.json").read_text())["command"]
        assert command[0] == str(environment.python)
        assert "-I" in command
        assert not list(plugin.target.rglob("*.so"))


def test_twice_gives_the_same(plugin):
    plugin.copy()
    first = files(plugin.folder)
    plugin.copy()
    assert files(plugin.folder) == first


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (lambda t: (t / "dialog.py").unlink(), "dialog.py is missing"),
        (lambda t: (t / "bokeh.py").unlink(), "bokeh.py is missing"),
        (lambda t: (t / "daemon/light/client.py").write_text("old"), "another version"),
        (lambda t: (t / "bokeh.py").chmod(0o644), "not executable"),
        (lambda t: shutil.rmtree(t / "daemon"), "daemon/__init__.py is missing"),
        (lambda t: (t / "launcher.json").write_text("{}"), "another copy"),
    ],
)
def test_harm_is_found_and_mended(plugin, harm, word):
    plugin.copy()
    harm(plugin.target)
    assert word in " ".join(plugin.faults())
    plugin.copy()
    assert plugin.faults() == []


@pytest.mark.parametrize("place", ["bokeh.py", "gimp_plugin/bokeh.py", "bokeh/bokeh/bokeh.py"])
def test_a_copy_in_the_wrong_folder_is_named_and_removed(plugin, place):
    stray = plugin.folder / "plug-ins" / place
    stray.parent.mkdir(parents=True)
    shutil.copy(ROOT / "gimp_plugin" / "bokeh.py", stray)
    assert "wrong place" in " ".join(plugin.faults())
    plugin.copy()
    assert plugin.faults() == []
    assert not stray.exists()


def test_another_authors_file_of_that_name_is_left_alone(plugin):
    other = plugin.folder / "plug-ins" / "bokeh.py"
    other.parent.mkdir()
    other.write_text("# my own")
    plugin.copy()
    assert other.read_text() == "# my own"
    assert plugin.faults() == []


def test_another_authors_plugin_of_that_name_is_left_alone(plugin):
    plugin.target.mkdir(parents=True)
    (plugin.target / "bokeh.py").write_text("# my own")
    with pytest.raises(SetupProblem, match="not this plug-in"):
        plugin.copy()
    assert "not this plug-in" in " ".join(plugin.faults())
    assert plugin.remove() == [plugin.target]
    assert (plugin.target / "bokeh.py").read_text() == "# my own"


def test_a_link_is_replaced_and_what_it_points_to_kept(plugin, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(ROOT / "gimp_plugin", source)
    plugin.target.parent.mkdir()
    plugin.target.symlink_to(source)
    plugin.copy()
    assert not plugin.target.is_symlink()
    assert (source / "bokeh.py").exists()


def test_what_is_not_ours_stays_in_an_update_and_is_named_when_all_goes(plugin):
    plugin.copy()
    mine = [plugin.target / "notes.txt", plugin.target / "tools" / "notes.txt"]
    for path in mine:
        path.write_text("mine")
    (plugin.target / "connection.json").write_text("{}")
    plugin.copy()
    assert [path.read_text() for path in mine] == ["mine", "mine"]
    assert sorted(plugin.remove()) == sorted(mine)
    assert files(plugin.target) == {"notes.txt", "tools", "tools/notes.txt"}


def test_what_was_left_in_the_folder_hinders_no_new_copy(plugin):
    plugin.copy()
    mine = [plugin.target / "notes.txt", plugin.target / "tools" / "mine.py"]
    for path in mine:
        path.write_text("mine")
    for _ in range(2):
        assert sorted(plugin.remove()) == sorted(mine)
    assert plugin.faults() == ["not installed"]
    plugin.copy()
    assert plugin.faults() == []
    assert [path.read_text() for path in mine] == ["mine", "mine"]


def test_a_folder_of_a_version_without_a_list_goes_whole(plugin):
    plugin.copy()
    for later in ("files.json", "help.html"):
        (plugin.target / later).unlink()
    (plugin.target / "link.py").write_text("of an earlier version")
    assert plugin.remove() == []
    assert not plugin.target.exists()


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("", True),
        ('(plug-in-path "${gimp_dir}/plug-ins:${gimp_plug_in_dir}/plug-ins")', True),
        ('(plug-in-path "${gimp_plug_in_dir}/plug-ins")', False),
        ('# (plug-in-path "${gimp_plug_in_dir}/plug-ins")', True),
    ],
)
def test_preferences_that_leave_the_folder_out_are_noticed(plugin, line, seen):
    assert gimp.looks_into_its_folder(plugin.folder)
    (plugin.folder / "gimprc").write_text(f"(show-tips no)\n{line}\n")
    assert gimp.looks_into_its_folder(plugin.folder) == seen


def test_flatpak_and_gimps_own_variable_are_found(places, home, monkeypatch):
    flatpak = home / ".var/app/org.gimp.GIMP/config/GIMP/3.2"
    flatpak.mkdir(parents=True)
    monkeypatch.setenv("GIMP3_DIRECTORY", str(home / "elsewhere"))
    assert {flatpak, home / "elsewhere"} <= set(gimp.folders(places))


@pytest.mark.parametrize(
    ("system", "folder"),
    [
        ("linux", ".config/GIMP/3.4"),  # also AppImage and today's Flatpak
        ("win32", "AppData/Roaming/GIMP/3.4"),
        ("darwin", "Library/Application Support/GIMP/3.4"),
    ],
)
def test_every_systems_folder_is_found(home, environment, system, folder):
    places = Places(system, home, {"APPDATA": str(home / "AppData" / "Roaming")})
    (home / folder).mkdir(parents=True)
    assert home / folder in gimp.folders(places)
    plugin = Plugin(home / folder, environment)
    plugin.copy()
    assert plugin.faults() == []


def test_a_gimp_that_never_ran_gets_its_folder(home, tmp_path):
    shutil.rmtree(home / ".config")
    program = tmp_path / "bin" / "gimp-3.2"
    program.parent.mkdir()
    program.touch(0o755)
    found = gimp.folders(Places("linux", home, {"PATH": str(program.parent)}))
    assert found == [home / ".config/GIMP/3.2"]


@pytest.mark.parametrize(
    ("folder", "words"),
    [(".config/GIMP/2.10", "only GIMP 2.10"), ("snap/gimp", "Snap"), (".cache", "start it")],
)
def test_why_there_is_no_gimp_is_said(places, home, folder, words):
    shutil.rmtree(home / ".config")
    (home / folder).mkdir(parents=True)
    assert words in gimp.why_none(places)


def test_gimp_2_is_left_alone(places, home):
    (home / ".config" / "GIMP" / "2.10").mkdir()
    assert len(gimp.folders(places)) == 2


def test_the_daemon_learns_where_the_copies_are(places, plugins):
    for plugin in plugins:
        plugin.copy()
    announce(places, plugins)
    assert presence.announced() == [plugin.target for plugin in plugins]
