"""`install.py`: its words, its refusals, what it does when something is missing."""

import ast
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from bokeh_core import extras
from daemon.runtime import child_process
from daemon.setup import bootstrap, lock, machine, packages
from daemon.setup import environment as environments
from daemon.setup.bootstrap import Bootstrap
from daemon.setup.places import pasted
from daemon.setup.problems import SetupProblem
from tests.daemon.setup.conftest import files

ROOT = Path(__file__).parents[3]
EXTRAS = set(extras.EXTRAS)


def script(*words, python=sys.executable, cwd=None, **variables):
    """Run install.py."""
    return subprocess.run(
        [python, str(ROOT / "install.py"), *words],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=cwd,
    )


@pytest.mark.parametrize("words", [[], ["demo"], ["test"], ["service"], ["uninstall"]])
def test_a_dry_run_tells_and_does_nothing(home, words):
    before = files(home)
    done = script(*words, "--dry-run", PIP_NO_INDEX="1")
    assert done.returncode == 0, done.stderr
    assert files(home) == before
    assert all(
        "would" in line or line.startswith(("   ", "--")) for line in done.stdout.splitlines()
    )
    if words != ["uninstall"]:
        assert f"plug-in into {home}/.config/GIMP/3.2/plug-ins/bokeh" in done.stdout


def test_a_dry_run_promises_no_more_than_a_run_does(home, places, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(machine, "runs", lambda *_: False)
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    for dry in ("--dry-run", None):
        monkeypatch.setattr(bootstrap, "Environment", lambda: environments.Environment(tmp_path))
        assert bootstrap.main([dry] if dry else []) == 1
        assert "apt-get install python3-venv" in capsys.readouterr().err


def test_nothing_is_installed_into_the_system_without_a_word(home, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(machine, "runs", lambda *_: False)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name, **_: name == "apt-get")
    monkeypatch.setattr(bootstrap, "Environment", lambda: environments.Environment(tmp_path / "e"))
    assert bootstrap.main(["--dry-run"]) == 0
    assert "as root, for the module venv: apt-get install -y -qq python3-venv" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("words", "belongs"),
    [
        (["--remove"], "--remove goes with the command service"),
        (["uninstall", "--mend"], "--mend goes with the command doctor"),
        (["demo", "--with", "train"], "--with goes with the command install"),
    ],
)
def test_an_option_of_another_command_is_refused(home, words, belongs):
    before = files(home)
    done = script(*words)
    assert done.returncode == 2
    assert belongs in done.stderr
    assert files(home) == before


def test_all_commands_are_listed_once():
    said = script("--help").stdout
    for command in ("install", "demo", "test", "doctor", "service", "uninstall"):
        assert re.search(rf"install\.py.* ?{command if command != 'install' else ''} ", said)
    assert said.count("usage:") == 1


@pytest.mark.parametrize("command", ["demo", "test", "doctor", "service", "uninstall"])
def test_a_command_tells_what_it_takes_itself(command):
    said = script(command, "--help").stdout
    assert said.startswith(f"usage: install.py {command} ")
    assert ("--mend" in said, "--remove" in said) == (command == "doctor", command == "service")
    assert ("--unlocked" in said) == (command != "uninstall")


@pytest.mark.parametrize("words", ["--help", "doctor", "uninstall --dry-run"])
def test_a_reader_who_leaves_is_no_error(home, words):
    done = without_a_reader(f"{pasted(sys.executable, ROOT / 'install.py')} {words}")
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize(
    "words", ["--help", "--version", "photo --help", "presets list", "models list", "doctor"]
)
def test_a_reader_of_the_command_who_leaves_is_no_error(home, words):
    command = pasted(*child_process.own_module("daemon.cli.main"))
    done = without_a_reader(f"{command} {words}")
    assert (done.stdout, done.stderr) == ("", "")


def without_a_reader(command):
    """Run a command as a shell does: Python then keeps what it prints in a buffer."""
    variables = {n: text for n, text in os.environ.items() if n != "PYTHONUNBUFFERED"}
    words = ["sh", "-c", f"{command} | true"]
    return subprocess.run(words, capture_output=True, text=True, check=False, env=variables)


class TestOldPythons:
    @pytest.fixture
    def old(self):
        """A Python that is too old, where there is one."""
        versions = Path.home() / ".pyenv" / "versions"
        found = [*versions.glob("2.7*"), *versions.glob("3.6*"), *versions.glob("3.9*")]
        if not found:
            pytest.skip("no old Python here")
        return [str(folder / "bin" / "python") for folder in found]

    def test_it_is_told_with_a_command_that_works(self, old, home, tmp_path):
        for python in old:
            done = script("doctor", python=python, cwd=tmp_path)
            assert done.returncode == 1
            wrong, step = done.stderr.splitlines()
            assert "is too old for defocus" in wrong
            again = subprocess.run(
                ["sh", "-c", step.removeprefix("Run: ") + " --help"],
                capture_output=True,
                text=True,
                check=False,
                cwd=tmp_path,
            )
            assert again.returncode == 0, again.stderr

    def test_any_python_can_read_it(self):
        text = (ROOT / "install.py").read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            assert not isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.NamedExpr)
            if isinstance(node, ast.FunctionDef):
                assert node.returns is None
                assert not node.args.kwonlyargs


def test_it_needs_only_the_standard_library():
    sources = [ROOT / "install.py", *(ROOT / "daemon" / "setup").glob("*.py")]
    sources += [ROOT / "daemon" / "runtime" / f"{n}.py" for n in ("child_process", "entry")]
    for path in sources:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found = {
            name
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        own = ("daemon.setup", "daemon.runtime")
        others = {n.split(".")[0] for n in found if not n.startswith(own)}
        assert others <= set(sys.stdlib_module_names), path


class TestRefusals:
    def test_sudo_in_somebody_elses_folder(self, tmp_path, monkeypatch):
        monkeypatch.setattr("os.geteuid", lambda: 0)
        monkeypatch.setenv("SUDO_UID", "1000")
        monkeypatch.setattr(Path, "stat", lambda *_, **__: os.stat_result((0,) * 4 + (1000,) * 6))
        with pytest.raises(SetupProblem, match="runs with sudo"):
            machine.refuse_sudo(tmp_path)

    def test_a_folder_that_root_made(self, tmp_path):
        if os.getuid() != 0:
            pytest.skip("only root can make a folder of root's")
        code = (
            f"import os, pwd, sys; sys.path.insert(0, {str(ROOT)!r})\n"
            "from pathlib import Path; from daemon.setup import machine\n"
            "os.setuid(65534)\n"
            f"machine.refuse_others([Path({str(tmp_path)!r})])\n"
        )
        folder = tmp_path
        while folder != Path(tempfile.gettempdir()):
            folder.chmod(0o755)
            folder = folder.parent
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert "belongs to root, and you are nobody" in done.stderr
        assert "was defocus once set up with sudo?" in done.stderr


class TestExtras:
    @pytest.fixture
    def run(self, home, environment, places, steps, monkeypatch):
        """Runs an installation with what comes from networks left out; gives the extras noted."""

        def build(self, aim, maker):
            replace(aim, path=environment.record.path, complete=True).write()

        monkeypatch.setattr(Bootstrap, "_build", build)
        monkeypatch.setattr(Bootstrap, "_check_weights", lambda _: None)
        monkeypatch.setattr(packages, "choose_build", lambda *_: ("any", ""))

        def run(*extras):
            run = Bootstrap(steps, extras, environment=environment, places=places)
            run.put_in_place()
            return environment.record.extras

        return run

    def test_what_was_asked_for_is_installed_and_stays(self, run, capsys):
        assert run() == ()
        assert run("metrics") == ("metrics",)
        capsys.readouterr()
        assert run() == ("metrics",)
        assert "packages: already there" in capsys.readouterr().out
        assert run("train", "hub") == ("hub", "metrics", "train")

    def test_an_extra_that_is_no_more_does_not_hinder(self, run, environment):
        replace(environment.record, extras=("of old",)).write()
        assert run() == ()

    def test_an_unknown_name_is_refused_with_the_list(self, capsys):
        assert bootstrap.main(["--with", "train,markers"]) == 1
        said = capsys.readouterr().err
        assert "no extra 'markers'" in said
        assert all(name in said for name in EXTRAS)

    def test_every_text_names_the_way_that_works(self):
        places = [ROOT / name for name in ("bokeh_core", "daemon", "gimp_plugin", "docs")]
        texts = [
            path for place in places for path in place.rglob("*") if path.suffix in {".py", ".md"}
        ]
        said = "\n".join(path.read_text(encoding="utf-8") for path in [*texts, ROOT / "README.md"])
        assert not re.findall(r"pip install .?defocus", said), "the name is not ours on the index"
        named = {
            name
            for names in re.findall(r"install\.py --with (\w+(?:,\w+)*)", said)
            for name in names.split(",")
        }
        assert named == EXTRAS
        assert named < set(lock.extras())


def test_the_locks_are_within_the_ranges_of_the_project():
    requirements = pytest.importorskip("packaging.requirements")
    for name in ["", *lock.extras()]:
        pinned = {}
        for entry in lock.entries([name] if name else []):
            pinned.setdefault(entry.name, []).append(entry.version)
        for line in lock.ranges([name] if name else []):
            asked = requirements.Requirement(line)
            versions = pinned.get(asked.name)
            assert versions, f"{asked.name} is not in locks/{name}: run .ci/renew-locks"
            assert all(asked.specifier.contains(version) for version in versions), line


def test_no_locked_and_no_allowed_version_has_a_known_hole():
    requirements = pytest.importorskip("packaging.requirements")
    version = pytest.importorskip("packaging.version").Version
    allowed = map(requirements.Requirement, lock.ranges([]))
    floors = {r.name: version(next(iter(r.specifier)).version) for r in allowed}
    listed = (lock.FOLDER / "advisories.in").read_text().splitlines()
    for line in (line for line in listed if not line.startswith("#")):
        name, sound, _, _ = line.split()
        assert floors[name] >= version(sound), line
        pinned = [entry.version for entry in lock.entries(lock.extras()) if entry.name == name]
        assert pinned
        assert all(version(found) >= version(sound) for found in pinned), line


def test_every_locked_package_has_its_hashes():
    for entry in lock.entries(lock.extras()):
        assert entry.text.count("--hash=sha256:") >= 1, entry.pin


def test_the_sets_agree_with_each_other():
    pins = {}
    for name in lock.extras():
        for entry in lock.entries([name]):
            pins.setdefault(entry.text.splitlines()[0], set()).add(entry.text)
    assert all(len(texts) == 1 for texts in pins.values())
