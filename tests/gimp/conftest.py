"""A real GIMP with the plug-in installed, and a real daemon it can reach."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import install
from tests.gimp.rootfs import Root, UnavailableError, root_filesystem

HERE = Path(__file__).parent
ARTEFACTS = os.environ.get("DEFOCUS_TEST_ARTEFACTS")


def pytest_collection_modifyitems(items):
    """Mark everything here: it drives a real GIMP."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.gimp)


@dataclass
class Gimp:
    """One user's GIMP: a home with the plug-in, an output folder, a daemon to talk to."""

    root: Root
    out: Path
    home: Path
    runtime: Path
    env: dict[str, str] = field(default_factory=dict)
    log: str = ""

    @property
    def plugin(self) -> Path:
        """The installed plug-in folder."""
        return self.home / ".config/GIMP" / self.version / "plug-ins" / "bokeh"

    @property
    def version(self) -> str:
        """Such as 3.0."""
        return next((self.home / ".config/GIMP").iterdir()).name

    def batch(self, script: str, timeout: float = 120) -> None:
        """Run a script of `scripts/` in GIMP's Python; fails with its traceback."""
        place = self._place(script)
        code = (
            f"import sys;sys.path.insert(0,{str(self.out)!r});import inside;inside.run({place!r})"
        )
        argv = ["gimp-console", "-i", "--quit", "--batch-interpreter", "python-fu-eval", "-b", code]
        self._run(argv, timeout)

    def desktop(self, scenario: str, script: str, timeout: float = 180) -> None:
        """Run GIMP on a screen: `script` in its Python, `scenario` at the keyboard."""
        argv = ["python3", str(self.out / "desktop.py"), self._place(scenario), self._place(script)]
        self._run(argv, timeout)

    def read(self, name: str) -> object:
        """Read JSON that the script left."""
        return json.loads((self.out / name).read_text())

    def _place(self, script: str) -> str:
        for name in ("inside.py", "desktop.py"):
            shutil.copy(HERE / name, self.out)
        return shutil.copy(HERE / "scripts" / script, self.out)

    def _run(self, argv: list[str], timeout: float) -> None:
        for name in ("done", "traceback"):
            (self.out / name).unlink(missing_ok=True)
        done = self.root.run(
            argv,
            visible=[self.out, self.runtime],
            home=self.home,
            env={
                "DEFOCUS_RUNTIME_DIR": str(self.runtime),
                "DEFOCUS_TEST_OUT": str(self.out),
                **self.env,
            },
            timeout=timeout,
        )
        self.log = done.stdout + done.stderr
        if ARTEFACTS:
            Path(ARTEFACTS).mkdir(parents=True, exist_ok=True)
            for picture in self.out.glob("*.png"):
                shutil.copy(picture, Path(ARTEFACTS) / f"{self.out.name}-{picture.name}")
        failure = self.out / "traceback"
        assert not failure.exists(), failure.read_text() + self.log
        assert (self.out / "done").exists(), self.log


@pytest.fixture(scope="session", params=["trixie", "forky"], ids=["gimp-3.0", "gimp-3.2"])
def root(request):
    """The root file system with GIMP, built once: 3.0 of Debian 13, 3.2 of its next release."""
    try:
        return root_filesystem(request.param)
    except UnavailableError as reason:
        pytest.skip(f"no real GIMP here: {reason}")


def home_with_plugin(root, path):
    """Make a home in which GIMP has already looked at the installed plug-in."""
    root.new_home(path)
    for folder in (path / ".config/GIMP").iterdir():
        (folder / "plug-ins").mkdir(exist_ok=True)
        install.copy_plugin(folder)
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
    folder = tmp_path_factory.mktemp("run")
    folder.chmod(0o700)
    env = {
        **os.environ,
        "OMP_NUM_THREADS": "1",  # GIMP and the test itself want the other cores
        "DEFOCUS_RUNTIME_DIR": str(folder),
        "DEFOCUS_CONFIG_DIR": str(tmp_path_factory.mktemp("config")),
    }
    command = [sys.executable, "-m", "daemon.cli.main", "daemon", "run"]
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 60
            while not (folder / "connection.json").exists():
                assert process.poll() is None, "the daemon ended"
                assert time.monotonic() < until, "the daemon did not start"
                time.sleep(0.1)
            yield folder
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()  # one that hangs


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
