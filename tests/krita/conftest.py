"""A real Krita with the plug-in installed, and a real daemon it can reach."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from daemon.setup import krita
from daemon.setup.environment import running
from daemon.setup.places import Places
from tests.fakes.daemon import FakeDaemon
from tests.krita.rootfs import KRITA
from tests.real_daemon import real_daemon
from tests.real_editor import RealEditor, root_with

HERE = Path(__file__).parent
SCRIPT = "defocus_test"
DESKTOP = f"""[Desktop Entry]
Type=Service
ServiceTypes=Krita/PythonPlugin
X-KDE-Library={SCRIPT}
X-Python-2-Compatible=false
X-Krita-Manual=Manual.html
Name=Script of a test
Comment=Runs it
"""
SCREEN = """
Xvfb -displayfd 3 -screen 0 1366x768x24 -nolisten tcp 3>/tmp/display 2>/dev/null &
while [ ! -s /tmp/display ]; do sleep 0.1; done
export DISPLAY=:$(cat /tmp/display)
openbox >/dev/null 2>&1 &
krita --nosplash
"""


def pytest_collection_modifyitems(items):
    """Mark everything here: it drives a real Krita."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.krita)


class Krita(RealEditor):
    """One user's Krita."""

    def play(self, *visible: Path, timeout: float = 500) -> None:
        """Play every scene of `scripts/` in one Krita on a screen."""
        shutil.copytree(HERE / "scripts", self.out / "scripts", dirs_exist_ok=True)
        (self.out / "scripts/__init__.py").unlink()
        done = self.run(["/bin/sh", "-c", SCREEN], timeout, visible)
        played = [path.stem for path in (self.out / "scripts").glob("*.py")]
        left = {name for name in played if not (self.out / name).exists()}
        assert played, "there was nothing to play"
        assert not left, f"not played: {left}\n{self.log[-3000:]}"
        assert not done.returncode, self.log[-3000:]

    def facts(self, scene: str) -> dict:
        """Read what a scene noted; fails with its traceback."""
        noted = json.loads((self.out / scene).read_text())
        assert "traceback" not in noted, noted["traceback"]
        return noted


@pytest.fixture(scope="session")
def root():
    """The root file system with Krita, built once."""
    return root_with(KRITA, "trixie")


@pytest.fixture(scope="session")
def home(root, tmp_path_factory):
    """A home with the plug-in, installed as set-up does it, and the one that runs scripts."""
    made = root.new_home(tmp_path_factory.mktemp("krita") / "home")
    (made / ".local/share/krita").mkdir(parents=True)
    places = Places("linux", made, {})
    for plugin in krita.plugins(places, running()):
        plugin.copy()
        (plugin.target / "launcher.json").unlink()
        folder = plugin.target.with_name(SCRIPT)
        folder.mkdir()
        shutil.copy(HERE / "inside.py", folder / "__init__.py")
        folder.with_suffix(".desktop").write_text(DESKTOP)
    # the canvas that needs no graphics card: the other one ends Krita now and then on a bare screen
    (made / ".config/kritadisplayrc").write_text("OpenGLRenderer=none\n")
    with (made / ".config/kritarc").open("a") as settings:
        settings.write(f"enable_{SCRIPT}=true\n")  # its last group is that of the plug-ins
    return made


@pytest.fixture(scope="session")
def daemon(tmp_path_factory):
    """A real daemon; gives its runtime directory."""
    with real_daemon(tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("config")) as folder:
        yield folder


@pytest.fixture(scope="session")
def stage(root, home, daemon, tmp_path_factory):
    """All scenes, played once."""
    krita = Krita(root, tmp_path_factory.mktemp("stage"), home, daemon)
    sample = HERE.parents[1] / "bokeh_core/samples/astronaut.png"
    shutil.copy(sample, krita.out / "photo.png")
    with Image.open(sample) as picture:
        small = picture.convert("RGB").resize((120, 120), Image.Resampling.BOX)
        small.save(krita.out / "small.png")
    broken, nobody = (tmp_path_factory.mktemp(name) for name in ("broken", "nobody"))
    keep = {"broken": str(broken), "nobody": str(nobody)}
    (krita.out / "folders.json").write_text(json.dumps(keep))
    with FakeDaemon(broken, "vanish"):
        krita.play(broken, nobody)
    return krita
