"""The ways in that people know: a wheel, installed by pip as pipx and uv do it too."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from daemon.setup import plugin_files
from tests.daemon.setup.conftest import files

ROOT = Path(__file__).parents[3]
PACKAGES = ("bokeh_core", "daemon")
PLUGINS = tuple(sorted(path.name for path in ROOT.glob("*_plugin")))
PACKED = "daemon/setup/plug-ins/"
"""Where a wheel holds the plug-ins, as data."""
pytestmark = pytest.mark.slow


def pip(python, *words, **options):
    command = [python, "-I", "-m", "pip", "--disable-pip-version-check", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, **options)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of what git has, without anything made."""
    folder = tmp_path_factory.mktemp("sources") / "a copy"
    left_out = shutil.ignore_patterns("__pycache__", ".*_cache", ".hypothesis")
    for name in (*PACKAGES, *PLUGINS):
        shutil.copytree(ROOT / name, folder / name, ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(sources, tmp_path_factory):
    """The wheel, built from that copy, which stays as it was."""
    before = files(sources)
    out = tmp_path_factory.mktemp("wheel")
    pip(sys.executable, "wheel", "-q", "--no-build-isolation", "--no-deps", "-w", out, sources)
    assert files(sources) == before, "building leaves nothing behind"
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Make environments of a user's own: the packages that ours needs are those of this one."""

    def make():
        folder = tmp_path_factory.mktemp("own") / "venv"
        subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", folder], check=True)
        found = next(folder.glob("lib/*/site-packages"))
        others = [p for p in {*sys.path, *site.getsitepackages()} if p.endswith("site-packages")]
        (found / "others.pth").write_text("".join(f"{path}\n" for path in others))
        return folder

    return make


def put(folder, *what):
    pip(sys.executable, "--python", folder / "bin/python", "install", "-q", "--no-deps", *what)


@pytest.fixture(scope="module")
def installed(wheel, environment):
    """One with the wheel in it."""
    folder = environment()
    put(folder, "--no-index", wheel)
    return folder


def defocus(folder, *words):
    return subprocess.run(
        [folder / "bin" / "defocus", *words],
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def test_it_holds_all_that_the_packages_hold(wheel, sources):
    with zipfile.ZipFile(wheel) as archive:
        there = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {
        place + path.relative_to(sources).as_posix()
        for names, place in ((PACKAGES, ""), (PLUGINS, PACKED))
        for name in names
        for path in (sources / name).rglob("*")
        if path.is_file()
    }
    assert there == wanted, "and nothing else can be imported"
    assert "daemon/__init__.py" not in there


def test_it_blurs_a_photo(installed, tmp_path):
    done = defocus(installed, "demo", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "composite.png").exists()


def test_it_sets_gimp_up_and_takes_it_away_again(installed, home):
    before = files(home)
    done = defocus(installed, "setup", "gimp")
    assert done.returncode == 0, done.stdout + done.stderr
    for version in ("3.0", "3.2"):
        target = home / ".config/GIMP" / version / "plug-ins/bokeh"
        for name, content in plugin_files.contents("gimp_plugin").items():
            assert (target / name).read_bytes() == content
        assert str(installed / "bin" / "python") in (target / "launcher.json").read_text()
    seen = defocus(installed, "doctor").stdout
    assert "up to date" in seen
    assert str(installed) in seen
    assert "another" not in seen
    done = defocus(installed, "setup", "remove")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kept" not in done.stdout
    assert files(home) - before <= {".config/GIMP/3.0/plug-ins", ".config/GIMP/3.2/plug-ins"}


@pytest.fixture(scope="module")
def python_daemon(tmp_path_factory):
    """The package of the index whose import name is `daemon` too, and what it needs."""
    folder = tmp_path_factory.mktemp("theirs")
    try:
        pip(sys.executable, "download", "-q", "-d", folder, "python-daemon==3.1.2")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"python-daemon cannot be had: {error.stderr.strip().splitlines()[-1]}")
    return sorted(folder.iterdir())


class TestBesidePythonDaemon:
    """Both live in one folder of packages, whichever came first, and leave each other whole."""

    @staticmethod
    def theirs_works(folder):
        code = "import daemon, daemon.pidfile; daemon.DaemonContext(pidfile=None); print('ok')"
        words = [folder / "bin" / "python", "-I", "-c", code]
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout == "ok\n"

    @staticmethod
    def ours_works(folder):
        """Compute in this process and in children: a batch spawns its worker."""
        out = folder / "pictures"
        sample = folder.joinpath("photo.png")
        if not sample.exists():
            shutil.copy(ROOT / "bokeh_core/samples/astronaut.png", sample)
        done = defocus(folder, "batch", str(sample), "--out", str(out), "--workers", "1")
        print(done.stdout, done.stderr)
        made = list(out.glob("*.png"))
        shutil.rmtree(out, ignore_errors=True)
        return done.returncode == 0 and bool(made)

    def remove(self, folder, name):
        pip(sys.executable, "--python", folder / "bin/python", "uninstall", "-q", "-y", name)

    def test_theirs_first(self, environment, wheel, python_daemon):
        folder = environment()
        put(folder, "--no-index", *python_daemon)
        put(folder, "--no-index", wheel)
        assert self.theirs_works(folder)
        assert self.ours_works(folder)
        self.remove(folder, "defocus")
        assert self.theirs_works(folder)
        kept = next(folder.glob("lib/*/site-packages/daemon"))
        assert not [name for name in files(kept) if "setup" in name or "cli" in name]

    def test_ours_first(self, environment, wheel, python_daemon):
        folder = environment()
        put(folder, "--no-index", wheel)
        put(folder, "--no-index", *python_daemon)
        assert self.theirs_works(folder)
        assert self.ours_works(folder)
        self.remove(folder, "python-daemon")
        assert not self.theirs_works(folder)
        assert self.ours_works(folder)

    def test_no_module_has_the_name_of_one_of_theirs(self, wheel, python_daemon):
        def modules(archive):
            with zipfile.ZipFile(archive) as opened:
                names = (name.split("/") for name in opened.namelist())
                return {parts[1].removesuffix(".py") for parts in names if parts[0] == "daemon"}

        theirs = next(path for path in python_daemon if path.name.startswith("python_daemon"))
        assert "pidfile" in modules(theirs)
        assert not modules(theirs) & modules(wheel)
