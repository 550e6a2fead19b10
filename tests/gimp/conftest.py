"""A real GIMP with the plug-in installed, and a real daemon it can reach."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from daemon.setup.environment import running
from daemon.setup.plugin import Plugin
from tests.gimp.rootfs import GIMP
from tests.real_daemon import real_daemon
from tests.real_editor import RealEditor, root_with

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "bokeh_core/samples/astronaut.png"
TRIES = int(os.environ.get("DEFOCUS_TEST_TRIES", "2"))
"""How often a scene is played at most: a screen may fail once, and the test says so."""


def pytest_collection_modifyitems(items):
    """Mark everything here: it drives a real GIMP."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.gimp)


class Gimp(RealEditor):
    """One user's GIMP."""

    @property
    def plugin(self) -> Path:
        """The installed plug-in folder."""
        return self.home / ".config/GIMP" / self.version / "plug-ins" / "bokeh"

    @property
    def version(self) -> str:
        """Such as 3.0."""
        return next((self.home / ".config/GIMP").iterdir()).name

    def batch(self, script: str, timeout: float = 120, files: Sequence[Path] = ()) -> None:
        """Run a script of `scripts/` in GIMP's Python; fails with its traceback.

        The files are opened before, as a user opens them: what a script loads has no file to GIMP.
        """
        place = self._place(script)
        code = (
            f"import sys;sys.path.insert(0,{str(self.out)!r});import inside;inside.run({place!r})"
        )
        argv = ["gimp-console", "-i", "--quit", "--batch-interpreter", "python-fu-eval", "-b", code]
        argv += map(str, files)
        self._run(argv, timeout)

    def desktop(self, scenario: str, script: str, timeout: float = 180) -> None:
        """Run GIMP on a screen: `script` in its Python, `scenario` at the keyboard.

        The dialogs begin as new: without the settings and the size that other scenes left.
        """
        shutil.rmtree(self.plugin.parents[1] / "plug-in-settings", ignore_errors=True)
        (self.plugin / "window.json").unlink(missing_ok=True)
        argv = ["python3", str(self.out / "desktop.py"), self._place(scenario), self._place(script)]
        self._run(argv, timeout)

    def read(self, name: str) -> object:
        """Read JSON that the script left."""
        return json.loads((self.out / name).read_text())

    def complaints(self) -> list[str]:
        """What GIMP said in the terminal about us.

        It warns of letters that two pages share: see `test_translations` for those seen at once.
        """
        said = (self.out / "gimp.log").read_text(errors="replace").splitlines()
        ours = [line for line in said if "bokeh" in line.lower()]
        return [line for line in ours if "duplicate mnemonic" not in line]

    def _place(self, script: str) -> str:
        for name in ("inside.py", "within.py", "desktop.py"):
            shutil.copy(HERE / name, self.out)
        return shutil.copy(HERE / "scripts" / script, self.out)

    def _run(self, argv: list[str], timeout: float) -> None:
        for name in ("done", "traceback"):
            (self.out / name).unlink(missing_ok=True)
        self.run(argv, timeout, prefix=f"{self.out.name}-")
        failure = self.out / "traceback"
        assert not failure.exists(), failure.read_text() + self.log
        assert (self.out / "done").exists(), self.log


@pytest.fixture(scope="session", params=["trixie", "forky"], ids=["gimp-3.0", "gimp-3.2"])
def root(request):
    """The root file system with GIMP, built once: 3.0 of Debian 13, 3.2 of its next release."""
    return root_with(GIMP, request.param)


@pytest.fixture(scope="module")
def play(root, home, daemon, tmp_path_factory):
    """Play a scene with the sample portrait as `photo.png`; gives its GIMP.

    `ready` may change the user's home, the photo or the environment before.
    """

    def played(
        script: str,
        scenario: str = "nobody_desk.py",
        timeout: float = 240,
        ready: Callable[[Gimp], object] = lambda _: None,
    ) -> Gimp:
        for tries_left in reversed(range(TRIES)):
            out = tmp_path_factory.mktemp(script.removesuffix("_gimp.py"))
            gimp = Gimp(root, out, home, daemon)
            shutil.copy(SAMPLE, out / "photo.png")
            ready(gimp)
            try:
                gimp.desktop(scenario, script, timeout)
            except AssertionError as error:
                if not tries_left:
                    raise
                with warnings.catch_warnings():
                    warnings.simplefilter("default")
                    warnings.warn(f"{script} failed once, it runs again: {error}", stacklevel=1)
            else:
                return gimp
        raise AssertionError(f"DEFOCUS_TEST_TRIES is {TRIES}")

    return played


def home_with_plugin(root, path):
    """Make a home in which GIMP has already looked at the installed plug-in."""
    root.new_home(path)
    for folder in (path / ".config/GIMP").iterdir():
        (folder / "plug-ins").mkdir(exist_ok=True)
        Plugin(folder, running()).copy()
        (folder / "plug-ins/bokeh/launcher.json").unlink()
    root.run(["gimp-console", "-i", "--quit", "-b", "(gimp-quit 0)"], home=path)
    return path


@pytest.fixture(scope="session")
def home(root, tmp_path_factory):
    """A home for all tests in this GIMP."""
    return home_with_plugin(root, tmp_path_factory.mktemp("gimp") / "home")


@pytest.fixture(scope="session")
def daemon(tmp_path_factory):
    """A real daemon; gives its runtime directory."""
    with real_daemon(tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("config")) as folder:
        yield folder


@pytest.fixture(scope="module")
def gimp(root, home, daemon, tmp_path_factory):
    """GIMP with the plug-in and the real daemon."""
    return Gimp(root, tmp_path_factory.mktemp("out"), home, daemon)


@pytest.fixture
def lone_gimp(root, home, tmp_path):
    """GIMP with the plug-in and no daemon: an empty runtime directory."""
    folders = [tmp_path / name for name in ("out", "run")]
    for folder in folders:
        folder.mkdir()
    return Gimp(root, folders[0], home, folders[1])


@pytest.fixture(scope="session")
def portrait():
    """The sample portrait, small: (120, 120, 3) u8."""
    sample = Path(__file__).parents[2] / "bokeh_core/samples/astronaut.png"
    with Image.open(sample) as picture:
        small = picture.convert("RGB").resize((120, 120), Image.Resampling.BOX)
        return np.asarray(small)
