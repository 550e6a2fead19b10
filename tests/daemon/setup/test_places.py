"""The folders of each system, against those that the daemon and platformdirs use."""

from pathlib import Path

import platformdirs.macos
import platformdirs.unix
import pytest

from bokeh_core.networks import hub
from bokeh_core.networks import own as own_models
from daemon.runtime.log import log_dir
from daemon.setup import service
from daemon.setup.places import CONFIG_FILES, LOG_FILES, RUNTIME_FILES, Places, pasted
from daemon.wire import discovery


def folders(places):
    return [folder.path for folder in places.folders()]


def test_they_are_those_the_daemon_uses(places):
    own = folders(places)
    assert discovery.config_dir() == places.config()
    assert discovery.config_dir() in own
    assert discovery.runtime_dir() in own
    assert log_dir() in own
    assert hub.folder(next(iter(hub.MODELS.values()))).parents[1] in own


def test_named_folders_come_first(home):
    names = {f"DEFOCUS_{name}_DIR": str(home / name) for name in ("CONFIG", "LOG", "RUNTIME")}
    found = Places("linux", home, names).folders()[:3]
    assert [folder.path for folder in found] == [home / n for n in ("CONFIG", "LOG", "RUNTIME")]
    assert [folder.patterns for folder in found] == [CONFIG_FILES, LOG_FILES, RUNTIME_FILES]


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_they_follow_the_rules_of_the_other_systems(home, monkeypatch, system):
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    ours = folders(Places(system, home, {"LOCALAPPDATA": str(home / "Local")}))
    if system == "darwin":
        rule = platformdirs.macos.MacOS("defocus", appauthor=False)
        used = [rule.user_config_dir, rule.user_log_dir, rule.user_cache_dir]
        used += [rule.user_runtime_dir]
        unit = service.service(system, home, ("python",)).path
        assert unit == home / "Library/LaunchAgents/org.defocus.daemon.plist"
    else:  # platformdirs' own rules for Windows ask Windows
        used = [home / "Local" / name for name in ("defocus", "defocus/Logs", "Temp/defocus")]
    for place in map(Path, used):
        assert any(place.is_relative_to(folder) for folder in ours), place


@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_trained_weights_lie_where_the_library_looks_for_them(home, monkeypatch, system):
    rule = {"linux": platformdirs.unix.Unix, "darwin": platformdirs.macos.MacOS}[system]
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    usual = Path(rule("defocus", appauthor=False).user_data_dir)
    assert Places(system, home, {}).models() == usual / "models"
    monkeypatch.setenv("DEFOCUS_DATA_DIR", str(home / "data"))
    assert (
        Places(system, home, {"DEFOCUS_DATA_DIR": str(home / "data")}).models()
        == own_models.folder()
    )


def test_what_is_to_be_pasted_is_quoted():
    assert pasted("python3", "/a b/install.py") == "python3 '/a b/install.py'"
