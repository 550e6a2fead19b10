"""Environments made from a small index on this machine: cut off, gone on with, swapped."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.setup import environment as environments
from daemon.setup import lock, machine, packages
from daemon.setup.environment import Environment, Record
from daemon.setup.machine import VenvMaker
from daemon.setup.problems import SetupProblem
from tests.daemon.setup.conftest import files, wait_until

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow


@pytest.fixture
def build(project, plain_venv):
    """Makes the environment as `install.py` does."""

    class Copied(VenvMaker):
        def make(self, folder):
            shutil.copytree(plain_venv, folder, symlinks=True)
            environments.adopt(Environment(folder), plain_venv)

    def build(build="any", *, locked=True):
        environments.settle(project)
        wanted = lock.fingerprint([], build)
        fresh = environments.begin(project, Record(Path(), wanted, (), build), Copied(()))
        try:
            packages.install(fresh, locked=locked)
        finally:
            environments.remove_tree(fresh.temporary)
        assert packages.fault(fresh) == ""
        replace(fresh.record, complete=True).write()
        environments.swap(project)

    return build


def version(environment, name):
    command = [str(environment.python), "-I", "-c", f"import {name}; print({name}.VERSION)"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def fetched(index):
    return [path.split("/")[-1].split("-")[0] for path in index.asked if path.startswith("/files")]


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(project, build, index):
    index.down.add("torch")
    with pytest.raises(SetupProblem, match="cannot be reached"):
        build()
    assert not project.folder.exists()
    index.down.clear()
    index.asked.clear()
    build()
    assert fetched(index) == ["torch"]
    assert version(project, "torch") == "1"
    assert not project.next().folder.exists()
    assert not project.temporary.exists()


def test_an_update_that_fails_leaves_what_works(project, build, index):
    build()
    before = files(project.folder)
    index.add("torch", "2")
    index.lock(lock.FOLDER / "main.txt", "filelock==1", "torch==2")
    index.down.add("torch")
    for _ in range(2):
        with pytest.raises(SetupProblem):
            build()
        assert {name for name in files(project.folder) if "__pycache__" not in name} == {
            name for name in before if "__pycache__" not in name
        }
        assert version(project, "torch") == "1"
    index.down.clear()
    index.asked.clear()
    build()
    assert fetched(index) == ["torch"], "what is the same is not fetched again"
    assert version(project, "torch") == "2"


def test_the_scripts_of_a_swapped_environment_name_its_place(project, build):
    build()
    pip = project.bin / "pip"
    done = subprocess.run([pip, "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(project.folder) in done.stdout


def test_a_swap_that_was_cut_off_is_undone(project, build):
    build()
    project.folder.rename(project.previous().folder)
    environments.settle(project)
    assert version(project, "torch") == "1"
    assert not project.previous().folder.exists()


def test_a_package_that_somebody_changed_is_refused(project, build, index):
    index.add("torch", "1", "import os; os.abort()")
    with pytest.raises(SetupProblem, match="not the one that this version") as caught:
        build()
    assert "another network" in caught.value.step


def test_a_version_that_is_not_there_is_named_with_the_way_out(project, build, index):
    (index.folder / "torch-1-py3-none-any.whl").unlink()
    with pytest.raises(SetupProblem, match="no torch==1 for Python") as caught:
        build()
    assert "--unlocked" in caught.value.step


def test_an_index_that_asks_for_a_password_ends_the_run(project, build, index):
    index.closed = True
    with pytest.raises(SetupProblem, match="no filelock==1 for Python") as caught:
        build()
    assert "asks for a password" in caught.value.step
    assert "User for 127.0.0.1" not in project.next().log.read_text()


def test_unlocked_takes_what_the_index_has(project, build, index, monkeypatch):
    index.add("torch", "3")
    monkeypatch.setattr(lock, "ranges", lambda _: ["torch>=2"])
    build(locked=False)
    assert version(project, "torch") == "3"


def test_torch_for_the_cpu_comes_from_its_own_index_without_cuda(
    project, build, index, monkeypatch
):
    monkeypatch.setattr(packages, "CPU_WHEELS", index.url)
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    index.add("nvidia_huge", "1")
    locked = (lock.FOLDER / "main.txt").read_text()
    (lock.FOLDER / "main.txt").write_text(locked + "nvidia-huge==1 --hash=sha256:" + "0" * 64)
    build("cpu")
    assert sorted(fetched(index)) == ["filelock", "torch"]
    assert project.record.build == "cpu"


def test_an_interrupted_run_leaves_no_process_and_no_temporary_file(project, index, plain_venv):
    shutil.copytree(plain_venv, project.folder, symlinks=True)
    project.temporary.mkdir()
    index.slow.add("torch")
    program = (
        "import sys; from pathlib import Path\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from daemon.setup import children; from daemon.setup.environment import Environment\n"
        "children.interrupted_by_signals()\n"
        f"found = Environment(Path({str(project.folder)!r}))\n"
        "children.run_module(found, 'pip', 'install', '--no-deps', 'torch')\n"
    )
    for number in (signal.SIGTERM, signal.SIGKILL):
        index.asked.clear()
        with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) as run:
            wait_until(lambda: "torch" in fetched(index))
            run.send_signal(number)
            run.communicate(timeout=30)
        wait_until(lambda: not _running(project.folder))
        wait_until(lambda: not list(project.temporary.iterdir()))


def _running(folder):
    """List the processes whose command line names a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in words and int(process.name) != os.getpid():
            found.append(process.name)
    return found


@pytest.mark.parametrize(
    ("output", "wrong", "step"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk is full", "6.0 GB"),
        ("NewConnectionError('... name resolution')", "cannot be reached", "network"),
        ("ERROR: No matching distribution found for torch", "no torch for Python", "--unlocked"),
        ("ERROR: something odd\nmore", "something odd", "Look into"),
    ],
)
def test_failures_of_pip_become_next_steps(tmp_path, output, wrong, step):
    problem = packages.diagnosis(output, Environment(tmp_path), "any")
    assert wrong in str(problem)
    assert step in problem.step


def test_too_little_room_says_both_numbers_and_the_cure(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "free_gb", lambda _: 1.5)
    monkeypatch.setattr(machine, "is_linux_x86", lambda: True)
    with pytest.raises(SetupProblem, match=r"Only 1\.5 GB .* 6\.0 GB are needed") as caught:
        packages.check_room(Environment(tmp_path / ".venv"), "any")
    assert "--cpu" in caught.value.step


class TestBuild:
    @pytest.fixture(autouse=True)
    def linux(self, monkeypatch):
        monkeypatch.setattr(machine, "is_linux_x86", lambda: True)
        monkeypatch.setattr(machine, "has_nvidia", lambda: False)
        monkeypatch.setattr(packages, "pip_has_index", lambda: False)
        for name in ("PIP_INDEX_URL", "PIP_NO_INDEX"):
            monkeypatch.delenv(name, raising=False)

    @pytest.fixture
    def none_yet(self, tmp_path):
        return Environment(tmp_path / "none")

    def test_the_cpu_build_is_taken_when_its_index_answers(self, none_yet, monkeypatch):
        monkeypatch.setattr(packages, "answers", lambda _: True)
        assert packages.choose_build(None, none_yet)[0] == "cpu"

    def test_else_the_package_index(self, none_yet, monkeypatch):
        monkeypatch.setattr(packages, "answers", lambda _: False)
        assert packages.choose_build(None, none_yet)[0] == "any"

    @pytest.mark.parametrize("name", ["PIP_INDEX_URL", "PIP_NO_INDEX"])
    def test_the_users_own_index_is_respected(self, none_yet, monkeypatch, name):
        monkeypatch.setenv(name, "1")
        monkeypatch.setattr(packages, "answers", lambda _: pytest.fail("asked another index"))
        assert packages.choose_build(None, none_yet)[0] == "any"

    def test_a_card_gets_the_cuda_build(self, none_yet, monkeypatch):
        monkeypatch.setattr(machine, "has_nvidia", lambda: True)
        assert packages.choose_build(None, none_yet)[0] == "any"

    @pytest.mark.parametrize("asked", ["cpu", "any"])
    def test_what_is_asked_for_is_taken(self, none_yet, asked):
        assert packages.choose_build(asked, none_yet)[0] == asked

    def test_a_later_run_keeps_it(self, environment):
        replace(environment.record, build="cpu").write()
        assert packages.choose_build(None, environment)[0] == "cpu"


def test_a_silent_network_is_told_soon(monkeypatch):
    words = packages.IMPATIENT
    seconds, again = int(words[1]), int(words[3])
    assert (seconds * (again + 1)) <= 20
    first = next(packages.groups(lock.entries([])))
    assert {entry.name for entry in first} == {"filelock"}
