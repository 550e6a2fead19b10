"""Files beside a photo, called like our libraries, are not run: for every way in."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.runtime.child_process import own_module
from daemon.setup import command_link, gimp, machine
from daemon.setup.environment import Environment
from daemon.setup.plugin import Plugin
from daemon.setup.plugin_files import contents
from tests.daemon.setup.conftest import wait_until

ROOT = Path(__file__).parents[3]
PLANTED = ("numpy", "msgspec", "torch", "zmq", "argparse", "json", "pip", "venv", "ensurepip")


@pytest.fixture
def trap(tmp_path):
    """A folder of downloads with modules in it that say when they are run."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    for name in PLANTED:
        (folder / f"{name}.py").write_text(
            f"open({str(tmp_path / 'sprung')!r}, 'a').write({name!r} + ' ')\n"
        )
    shutil.copy(ROOT / "bokeh_core/samples/astronaut.png", folder / "photo.png")
    return folder


@pytest.fixture
def sprung(tmp_path):
    """What was run."""
    return lambda: (tmp_path / "sprung").read_text() if (tmp_path / "sprung").exists() else ""


@pytest.fixture
def variables(place):
    """The environment of a sandbox, with the trap's folder named in an empty part of PYTHONPATH."""
    return {**place.environment(), "PYTHONPATH": os.pathsep + "/nowhere"}


@pytest.fixture
def place():
    from tests.reliability.sandbox import sandbox

    with sandbox() as made:
        yield made


def run(words, trap, variables):
    return subprocess.run(
        words, cwd=trap, env=variables, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_trap_works(trap, sprung):
    run([sys.executable, "-c", "import msgspec"], trap, os.environ)
    assert sprung() == "msgspec "


@pytest.fixture
def command(tmp_path):
    """The command as an installation writes it."""
    made = Environment(tmp_path / "env")
    (made.folder / "lib/python3/site-packages").mkdir(parents=True)
    made.bin.mkdir()
    made.python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    made.python.chmod(0o755)
    command_link.write_command(made)
    return str(made.command)


def test_the_command(trap, sprung, variables, command):
    done = run([command, "photo", "photo.png", "--no-daemon", "--out", "out"], trap, variables)
    assert done.returncode == 0, done.stderr
    assert sprung() == ""


def test_the_daemon_its_worker_and_its_start(trap, sprung, place, variables, command):
    engine = ("--engine", "tests.reliability.engine")
    done = run([command, "daemon", "start", *engine], trap, variables)
    assert done.returncode == 0, done.stderr
    try:
        with place.client() as client:
            wait_until(lambda: client.status().worker == "idle")
    finally:
        run([command, "daemon", "stop"], trap, variables)
    assert sprung() == ""


def test_the_plugins_start_and_the_services(trap, sprung, variables, home, places):
    plugin = Plugin(gimp.folders(places)[0], Environment(Path(sys.prefix)))
    command = json.loads(plugin.launcher())["command"]
    assert command[1] == "-I"
    words = [*own_module("daemon.cli.main", "daemon", "service", "show")]
    shown = run(words, trap, variables).stdout
    assert " -I " in shown
    assert sprung() == ""


class TestAnotherPackageCalledDaemon:
    """Debian's ansible-runner brings python3-daemon: a `daemon/__init__.py` beside all packages."""

    @pytest.fixture
    def hidden(self, tmp_path):
        """A folder of packages in which the name `daemon` is taken."""
        package = tmp_path / "dist-packages" / "daemon"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("class DaemonContext: ...\n")
        return package.parent

    @pytest.fixture
    def python(self, tmp_path, hidden):
        """A Python that finds it, before and after ours."""
        made = tmp_path / "env"
        words = [sys.executable, "-I", "-m", "venv", "--without-pip", made]
        subprocess.run(words, check=True)
        found = next(made.glob("lib/*/site-packages"))
        others = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
        (found / "all.pth").write_text("\n".join([str(hidden), *others]))
        return made / "bin" / "python"

    def test_hides_the_namespace(self, python, tmp_path):
        done = run([python, "-c", "import daemon.setup"], tmp_path, os.environ)
        assert "No module named 'daemon.setup'" in done.stderr

    def test_does_not_hinder_our_processes(self, python, tmp_path):
        words = own_module("daemon.cli.main", "models", "list", python=python)
        done = run(words, tmp_path, os.environ)
        assert done.returncode == 0, done.stderr

    def test_does_not_hinder_what_they_spawn(self, python, tmp_path):
        photo = shutil.copy(ROOT / "bokeh_core/samples/astronaut.png", tmp_path / "photo.png")
        words = ("batch", str(photo), "--out", str(tmp_path / "out"), "--workers", "1")
        done = run(own_module("daemon.cli.main", *words, python=python), tmp_path, os.environ)
        assert done.returncode == 0, done.stderr

    def test_does_not_hinder_the_installer(self, python, tmp_path):
        done = run([python, ROOT / "install.py", "--help"], tmp_path, os.environ)
        assert done.returncode == 0, done.stderr
        assert "doctor" in done.stdout

    def test_does_not_hinder_an_editors_plugin(self, python, tmp_path):
        folder = tmp_path / "bokeh"
        for name, content in contents("gimp_plugin").items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        code = f"import sys; sys.path.insert(0, {str(folder)!r}); import daemon.light.connect as c"
        done = run([python, "-I", "-c", f"{code}; print(c.__file__)"], tmp_path, os.environ)
        assert done.stdout.startswith(str(folder)), done.stderr


@pytest.mark.slow
def test_install_and_its_children(trap, sprung, home):
    done = run([sys.executable, str(ROOT / "install.py"), "doctor"], trap, os.environ)
    assert "environment" in done.stdout
    made = trap.parent / "made"
    os.chdir(trap)
    try:
        assert not machine.runs(sys.executable, "import numpy; numpy.what_is_not_there")
        machine.venv_maker().make(made)
    finally:
        os.chdir(ROOT)
    assert machine.runs(Environment(made).python, "import pip")
    assert sprung() == ""


def test_no_module_starts_python_by_itself():
    """One helper builds these command lines; `-m` alone puts the current folder on the path."""
    for path in (ROOT / "daemon").rglob("*.py"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if path.name != "child_process.py":
                assert '"-m"' not in line, f"{path}:{number}"
                assert '"-c"' not in line, f"{path}:{number}"
