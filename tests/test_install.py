"""install.py in a made-up home: nothing of the real one is touched, nothing is downloaded."""

import ast
import importlib.util
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import msgpack
import platformdirs.macos
import pytest

from daemon import connection, keys, service
from daemon.log import LOG_NAME, WORKER_LOG_NAME, log_dir

ROOT = Path(__file__).parents[1]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with GIMP 3.0 and 3.2 in it, and no other settings."""
    made = tmp_path / "home"
    for version in ("3.0", "3.2"):
        (made / ".config" / "GIMP" / version).mkdir(parents=True)
    (made / ".local" / "bin").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(made))
    monkeypatch.setenv("PATH", f"{made}/.local/bin{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    for name in ("CONFIG", "CACHE", "STATE", "DATA"):
        monkeypatch.delenv(f"XDG_{name}_HOME", raising=False)
    for name in ("GIMP3_DIRECTORY", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name in ("CONFIG", "LOG", "RUNTIME"):
        monkeypatch.delenv(f"DEFOCUS_{name}_DIR", raising=False)
    return made


@pytest.fixture
def install(tmp_path, home, monkeypatch):
    """The script as a module, with its environment moved to a temporary folder."""
    spec = importlib.util.spec_from_file_location("install", ROOT / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    venv = tmp_path / "venv"
    site = venv / "lib" / "site-packages"
    shutil.copytree(Path(msgpack.__file__).parent, site / "msgpack")
    (venv / "bin").mkdir()
    for name, path in {
        "VENV": venv,
        "BIN": venv / "bin",
        "PYTHON": venv / "bin" / "python",
        "COMMAND": venv / "bin" / "defocus",
        "STAMP": venv / "defocus-install.json",
        "LOG": venv / "install.log",
        "BEGUN": venv / "defocus-packages-begun",
    }.items():
        monkeypatch.setattr(module, name, path)
    (venv / "vendor" / "zmq").mkdir(parents=True)  # as if downloaded
    return module


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def script(*words, **environment):
    return subprocess.run(
        [sys.executable, str(ROOT / "install.py"), *words],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
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


def test_it_parses_on_old_pythons_so_that_it_can_say_so():
    ast.parse((ROOT / "install.py").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_it_needs_only_the_standard_library():
    tree = ast.parse((ROOT / "install.py").read_text(encoding="utf-8"))
    found = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert found <= set(sys.stdlib_module_names)


def test_old_python_and_full_disk_stop_with_a_next_step(install, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["install.py"])
    nearly_full = SimpleNamespace(free=1e9)
    monkeypatch.setattr(install.shutil, "disk_usage", lambda _: nearly_full)

    assert install.main() == 1
    assert "Free 2.5 GB" in capsys.readouterr().err
    monkeypatch.setattr(install, "OLDEST", (99, 0))
    assert install.main() == 1
    assert "too old" in capsys.readouterr().err


def test_requirements_are_those_of_pyproject(install):
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = project["optional-dependencies"]["dev"]
    expected = list(dict.fromkeys([*project["dependencies"], *extra]))
    assert install.requirements(["dev"]) == expected


@pytest.mark.parametrize(
    ("output", "wrong", "step"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full", "Free 8 GB"),
        ("NewConnectionError('... name resolution')", "cannot be reached", "network"),
        ("ERROR: No matching distribution found for torch", "no fitting package", "find-links"),
        ("ERROR: something odd\nmore", "something odd", "Look into"),
    ],
)
def test_failures_of_pip_become_next_steps(install, output, wrong, step):
    stop = install.diagnosis(output, "Packages")
    assert wrong in str(stop)
    assert step in stop.step


def test_an_index_that_asks_for_a_password_ends_the_run(install, monkeypatch):
    class Closed(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.end_headers()

        def log_message(self, *_):
            pass

    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Closed) as server:
        threading.Thread(target=server.serve_forever, args=[0.01]).start()
        index = f"http://127.0.0.1:{server.server_port}/simple"
        command = [sys.executable, *install.PIP, "download", "--index-url", index, "nothing"]
        with pytest.raises(install.Stop, match="no fitting package") as caught:
            install.run_logged(command, "Packages")
        server.shutdown()
    assert "asks for a password" in caught.value.step
    assert f"User for 127.0.0.1:{server.server_port}" not in install.LOG.read_text()


class TestTorch:
    @pytest.fixture(autouse=True)
    def linux(self, install, monkeypatch):
        monkeypatch.setattr(install.platform, "system", lambda: "Linux")
        monkeypatch.setattr(install.platform, "machine", lambda: "x86_64")
        monkeypatch.setattr(install, "pip_has_index", lambda: False)
        monkeypatch.setattr(install, "has_nvidia", lambda: False)
        for name in ("PIP_INDEX_URL", "PIP_NO_INDEX"):
            monkeypatch.delenv(name, raising=False)

    def test_the_cpu_build_is_taken_when_its_index_answers(self, install, monkeypatch):
        monkeypatch.setattr(install, "answers", lambda _: True)
        assert install.choose_torch()[0] == ["--index-url", install.CPU_WHEELS]

    def test_else_the_package_index(self, install, monkeypatch):
        monkeypatch.setattr(install, "answers", lambda _: False)
        assert install.choose_torch()[0] == []

    @pytest.mark.parametrize("name", ["PIP_INDEX_URL", "PIP_NO_INDEX"])
    def test_the_users_own_index_is_respected(self, install, monkeypatch, name):
        monkeypatch.setenv(name, "1")
        monkeypatch.setattr(install, "answers", lambda _: pytest.fail("asked another index"))
        assert install.choose_torch()[0] == []

    def test_a_gpu_gets_the_cuda_build(self, install, monkeypatch):
        monkeypatch.setattr(install, "has_nvidia", lambda: True)
        monkeypatch.setattr(install, "answers", lambda _: pytest.fail("not needed"))
        assert install.choose_torch()[0] == []

    def test_a_pair_that_does_not_fit_is_fetched_anew(self, install, monkeypatch):
        calls = []
        answers = iter([False, True])
        monkeypatch.setattr(install, "run_logged", lambda command, _: calls.append(command))
        monkeypatch.setattr(install, "works", lambda *_: next(answers))
        monkeypatch.setattr(install, "first_fault", lambda: "")
        monkeypatch.setenv("PIP_FIND_LINKS", "mine")
        install.install_packages(["dev"], [])
        assert "--force-reinstall" in calls[1]
        assert os.environ["PIP_FIND_LINKS"] == "mine"
        install.PYTHON.touch()
        assert install.is_installed([])
        assert install.is_installed(["dev"])


class TestExtras:
    @pytest.fixture
    def run(self, install, home, monkeypatch):
        """Runs the script with these words; gives the exit code and what pip was asked for."""
        asked = []
        monkeypatch.setattr(install, "run_logged", lambda command, _: asked.append(command))
        monkeypatch.setattr(install, "works", lambda *_: True)
        monkeypatch.setattr(install, "first_fault", str)
        monkeypatch.setattr(install, "choose_torch", lambda: ([], ""))
        for name in ("check_machine", "make_venv", "link_package", "check_weights"):
            monkeypatch.setattr(install, name, lambda *_: None)
        install.PYTHON.touch()

        def run(*words):
            asked.clear()
            monkeypatch.setattr(sys, "argv", ["install.py", *words])
            return install.main(), {word for command in asked for word in command}

        return run

    def test_what_was_asked_for_is_installed_and_stays(self, install, run, monkeypatch):
        metrics = set(install.requirements(["metrics"])) - set(install.requirements([]))
        train = set(install.requirements(["train"])) - set(install.requirements([]))
        code, packages = run()
        assert code == 0
        assert not packages & metrics
        assert metrics <= run("--with", "metrics")[1]
        assert run() == (0, set()), "a plain run finds all in place"
        packages = run("--with", "train,hub")[1]
        assert metrics | train <= packages
        monkeypatch.setattr(install, "is_installed", lambda _: False)  # a new version of defocus
        assert metrics | train <= run()[1]

    def test_an_unknown_name_is_refused_with_the_list(self, run, capsys):
        assert run("--with", "train,markers") == (1, set())
        said = capsys.readouterr().err
        assert "no extra 'markers'" in said
        assert "train, hub, matting, metrics" in said

    def test_no_other_command_ignores_it(self, run, capsys):
        with pytest.raises(SystemExit):
            run("doctor", "--with", "train")
        assert "--with" in capsys.readouterr().err

    def test_an_extra_that_is_no_more_does_not_hinder(self, install, run):
        install.STAMP.write_text('{"done": [], "extras": ["of old"]}')
        assert run()[0] == 0

    def test_every_text_names_the_way_that_works(self, install):
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
        assert named == {"train", "hub", "matting", "metrics"}
        assert named <= set(install.extras_there())


def test_packages_that_were_cut_off_are_put_in_place_from_scratch(install, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(install, "run_logged", killed)
        with pytest.raises(KeyboardInterrupt):
            install.install_packages([], [])
    assert not install.is_installed([])
    half = install.VENV / "half"
    half.touch()
    monkeypatch.setattr(install, "check_machine", killed)  # far enough
    with pytest.raises(KeyboardInterrupt):
        install.install(install.Steps(dry=False), [])
    assert not half.exists()


def test_packages_are_noted_once_all_of_them_load(install, monkeypatch):
    install.PYTHON.touch()
    monkeypatch.setattr(install, "run_logged", lambda *_: None)
    monkeypatch.setattr(install, "works", lambda *_: True)
    monkeypatch.setattr(install, "first_fault", lambda: "")
    install.install_packages([], [])
    assert install.is_installed([])


def test_a_half_made_environment_is_made_again(install):
    assert not install.works(install.PYTHON, "import pip")
    install.make_venv()
    assert install.works(install.PYTHON, "import pip")
    inode = install.PYTHON.lstat().st_ino
    install.make_venv()
    assert install.PYTHON.lstat().st_ino == inode


class TestPlugin:
    def test_every_gimp_gets_a_copy_that_is_up_to_date(self, install, home):
        gimps = install.gimp_folders()
        assert gimps == [home / ".config" / "GIMP" / v for v in ("3.0", "3.2")]
        for gimp in gimps:
            assert install.plugin_faults(gimp) == ["not installed"]
            install.copy_plugin(gimp)
            assert install.plugin_faults(gimp) == []
            target = install.plugin_target(gimp)
            assert os.access(target / "bokeh.py", os.X_OK)
            command = json.loads((target / "launcher.json").read_text())["command"]
            assert command[0] == str(install.PYTHON)
            assert not list(target.rglob("*.so"))

    def test_twice_gives_the_same(self, install):
        gimp = install.gimp_folders()[0]
        install.copy_plugin(gimp)
        first = files(gimp)
        install.copy_plugin(gimp)
        assert files(gimp) == first

    @pytest.mark.parametrize(
        ("harm", "word"),
        [
            (lambda t: (t / "client.py").unlink(), "client.py is missing"),
            (lambda t: (t / "bokeh.py").unlink(), "bokeh.py is missing"),
            (lambda t: (t / "client.py").write_text("old"), "another version"),
            (lambda t: (t / "bokeh.py").chmod(0o644), "not executable"),
            (lambda t: shutil.rmtree(t / "vendor"), "msgpack"),
            (lambda t: (t / "launcher.json").write_text("{}"), "another copy"),
        ],
    )
    def test_harm_is_found_and_mended(self, install, harm, word):
        gimp = install.gimp_folders()[0]
        install.copy_plugin(gimp)
        harm(install.plugin_target(gimp))
        assert word in " ".join(install.plugin_faults(gimp))
        install.copy_plugin(gimp)
        assert install.plugin_faults(gimp) == []

    @pytest.mark.parametrize("place", ["bokeh.py", "gimp_plugin/bokeh.py", "bokeh/bokeh/bokeh.py"])
    def test_a_copy_in_the_wrong_folder_is_named_and_removed(self, install, place):
        gimp = install.gimp_folders()[0]
        stray = gimp / "plug-ins" / place
        stray.parent.mkdir(parents=True)
        shutil.copy(ROOT / "gimp_plugin" / "bokeh.py", stray)
        assert "wrong place" in " ".join(install.plugin_faults(gimp))
        install.copy_plugin(gimp)
        assert install.plugin_faults(gimp) == []
        assert not stray.exists()

    def test_another_authors_file_of_that_name_is_left_alone(self, install):
        gimp = install.gimp_folders()[0]
        other = gimp / "plug-ins" / "bokeh.py"
        other.parent.mkdir()
        other.write_text("# my own")
        install.copy_plugin(gimp)
        assert other.read_text() == "# my own"
        assert install.plugin_faults(gimp) == []

    def test_another_authors_plugin_of_that_name_is_left_alone(self, install, monkeypatch, capsys):
        other = install.plugin_target(install.gimp_folders()[1])
        other.mkdir(parents=True)
        (other / "bokeh.py").write_text("# my own")
        (other / "presets.json").write_text("mine")
        with pytest.raises(install.Stop, match="not this plug-in"):
            install.copy_plugin(install.gimp_folders()[1])
        monkeypatch.setattr(install, "check_machine", lambda _: None)
        monkeypatch.setattr(install, "run_logged", lambda *_: pytest.fail("it began to install"))
        monkeypatch.setattr(sys, "argv", ["install.py"])
        assert install.main() == 1
        assert "Move it out of" in capsys.readouterr().err
        assert "not this plug-in" in " ".join(install.plugin_faults(install.gimp_folders()[1]))
        monkeypatch.setattr(install, "HOME", install.VENV)
        install.uninstall(install.Steps(dry=False))
        assert f"kept: {other}" in capsys.readouterr().out
        assert (other / "bokeh.py").read_text() == "# my own"
        assert (other / "presets.json").read_text() == "mine"

    def test_a_link_is_replaced_and_what_it_points_to_kept(self, install, tmp_path):
        gimp = install.gimp_folders()[0]
        source = tmp_path / "source"
        shutil.copytree(ROOT / "gimp_plugin", source)
        install.plugin_target(gimp).parent.mkdir()
        install.plugin_target(gimp).symlink_to(source)
        install.copy_plugin(gimp)
        assert not install.plugin_target(gimp).is_symlink()
        assert (source / "bokeh.py").exists()

    @pytest.mark.parametrize(
        ("line", "seen"),
        [
            ("", True),
            ('(plug-in-path "${gimp_dir}/plug-ins:${gimp_plug_in_dir}/plug-ins")', True),
            ('(plug-in-path "${gimp_plug_in_dir}/plug-ins")', False),
            ('# (plug-in-path "${gimp_plug_in_dir}/plug-ins")', True),
        ],
    )
    def test_preferences_that_leave_the_folder_out_are_noticed(self, install, line, seen):
        gimp = install.gimp_folders()[0]
        assert install.looked_at(gimp)
        (gimp / "gimprc").write_text(f"(show-tips no)\n{line}\n")
        assert install.looked_at(gimp) == seen

    def test_flatpak_and_gimps_own_variable_are_found(self, install, home, monkeypatch):
        flatpak = home / ".var/app/org.gimp.GIMP/config/GIMP/3.2"
        flatpak.mkdir(parents=True)
        monkeypatch.setenv("GIMP3_DIRECTORY", str(home / "elsewhere"))
        assert {flatpak, home / "elsewhere"} <= set(install.gimp_folders())

    @pytest.mark.parametrize(
        ("system", "folder"),
        [
            ("linux", ".config/GIMP/3.4"),  # also AppImage and today's Flatpak
            ("win32", "AppData/Roaming/GIMP/3.4"),
            ("darwin", "Library/Application Support/GIMP/3.4"),
        ],
    )
    def test_every_systems_folder_is_found(self, install, home, monkeypatch, system, folder):
        monkeypatch.setattr(install.sys, "platform", system)
        if system == "win32":
            monkeypatch.setenv("APPDATA", str(home / "AppData" / "Roaming"))
        (home / folder).mkdir(parents=True)
        assert home / folder in install.gimp_folders()
        install.copy_plugin(home / folder)
        assert install.plugin_faults(home / folder) == []

    def test_a_gimp_that_never_ran_gets_its_folder(self, install, home, tmp_path, monkeypatch):
        shutil.rmtree(home / ".config")
        program = tmp_path / "bin" / "gimp-3.2"
        program.parent.mkdir()
        program.touch(0o755)
        monkeypatch.setenv("PATH", str(program.parent))
        assert install.gimp_folders() == [home / ".config/GIMP/3.2"]

    @pytest.mark.parametrize(
        ("folder", "words"),
        [(".config/GIMP/2.10", "only GIMP 2.10"), ("snap/gimp", "Snap"), (".cache", "start it")],
    )
    def test_why_there_is_no_gimp_is_said(self, install, home, folder, words):
        shutil.rmtree(home / ".config")
        (home / folder).mkdir(parents=True)
        assert words in install.no_gimp()

    def test_gimp_2_is_left_alone(self, install, home):
        (home / ".config" / "GIMP" / "2.10").mkdir()
        assert len(install.gimp_folders()) == 2

    def test_the_daemon_learns_where_the_copies_are(self, install):
        gimps = install.gimp_folders()
        for gimp in gimps:
            install.copy_plugin(gimp)
        install.announce(gimps)
        assert connection.announced() == [install.plugin_target(gimp) for gimp in gimps]


@pytest.mark.skipif(sys.platform != "linux", reason="checks the folders of Linux")
def test_uninstall_leaves_nothing_behind(install, home, tmp_path, monkeypatch):
    monkeypatch.setattr(install, "HOME", tmp_path / "checkout")
    monkeypatch.setattr(install, "plugin_sources", lambda: {"bokeh.py": ROOT / "LICENSE"})
    done = SimpleNamespace(returncode=0, stdout="")
    monkeypatch.setattr(install.subprocess, "run", lambda *_, **__: done)
    before = files(home)
    steps = install.Steps(dry=False)
    for gimp in install.gimp_folders():
        install.copy_plugin(gimp)
    install.announce(install.gimp_folders())
    install.make_path_link(install.path_link())
    unit = service.service("linux", home, ("python",)).path
    unit.parent.mkdir(parents=True)
    unit.write_text("[Unit]")
    log_dir().mkdir(parents=True, exist_ok=True)
    connection.runtime_dir()
    assert len(files(home)) > len(before) + 10
    install.uninstall(steps)
    left = {name for name in files(home) - before if not (home / name).is_dir()}
    assert left == set()
    assert not install.VENV.exists()
    assert not (tmp_path / "run" / "defocus").exists()
    assert "defocus" not in " ".join(files(home))


def test_folders_that_were_not_there_before_go_again(install, home, tmp_path, monkeypatch):
    shutil.rmtree(home)
    home.mkdir()
    kept = home / ".config" / "GIMP" / "3.0" / "gimprc"
    monkeypatch.setattr(install, "HOME", tmp_path / "checkout")
    monkeypatch.setattr(install, "plugin_sources", lambda: {"bokeh.py": ROOT / "LICENSE"})
    monkeypatch.setenv("GIMP3_DIRECTORY", str(home / ".config/GIMP/3.2"))
    targets = [install.plugin_target(gimp) for gimp in install.gimp_folders()]
    install.note_missing(targets + install.own_folders())
    for gimp in install.gimp_folders():
        install.copy_plugin(gimp)
    log_dir().mkdir(parents=True)
    install.note_missing(targets + install.own_folders())  # a second run forgets nothing
    kept.parent.mkdir(parents=True)
    kept.touch()  # what others put there meanwhile stays
    install.uninstall(install.Steps(dry=False))
    assert {name for name in files(home) if (home / name).is_file()} == {".config/GIMP/3.0/gimprc"}
    assert files(home) == {".config", ".config/GIMP", ".config/GIMP/3.0", ".config/GIMP/3.0/gimprc"}


@pytest.mark.parametrize("shared", [False, True])
def test_from_folders_the_user_named_uninstall_takes_only_its_own(
    install, home, tmp_path, monkeypatch, shared
):
    monkeypatch.setattr(install, "HOME", tmp_path / "checkout")
    done = SimpleNamespace(returncode=0, stdout="")
    monkeypatch.setattr(install.subprocess, "run", lambda *_, **__: done)
    named = {name: tmp_path / ("shared" if shared else name) for name in ("CONFIG", "LOG", "RUN")}
    for name, variable in (("CONFIG", "CONFIG"), ("LOG", "LOG"), ("RUN", "RUNTIME")):
        monkeypatch.setenv(f"DEFOCUS_{variable}_DIR", str(named[name]))
    connection.runtime_dir()
    if shared:
        for other in ("photo.jpg", "daemon.log.old", "daemon.json", "keys/id.json"):
            (tmp_path / "shared" / other).parent.mkdir(exist_ok=True)
            (tmp_path / "shared" / other).touch()
    before = files(tmp_path)

    install.note_missing([])
    install.announce([])
    keys.allow("laptop", keys.key_pair("client").public)
    keys.trust("box:5000", keys.key_pair("daemon").public)
    log_dir().mkdir(exist_ok=True)
    for name in (LOG_NAME, f"{LOG_NAME}.1", WORKER_LOG_NAME):
        (log_dir() / name).touch()
    connection.lock(connection.runtime_dir()).release()
    where = {"started": 1.0, "server": "", "work": "", "control": "", "token": ""}
    connection.publish(connection.Connection(pid=os.getpid(), **where), connection.runtime_dir())
    for name in ("work", "control", "worker-3"):
        os.mknod(connection.runtime_dir() / f"{name}.sock", stat.S_IFSOCK | 0o600)
    assert len(files(tmp_path)) > len(before) + 10

    install.uninstall(install.Steps(dry=False))
    left = {name for name in files(tmp_path) if not name.startswith("venv")}
    assert left == {name for name in before if not name.startswith("venv")} - {"RUN"}


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_own_folders_follow_the_rules_of_the_other_systems(install, home, monkeypatch, system):
    monkeypatch.setattr(install.sys, "platform", system)
    monkeypatch.setenv("LOCALAPPDATA", str(home / "Local"))
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    own = install.own_folders()
    if system == "darwin":
        rule = platformdirs.macos.MacOS("defocus", appauthor=False)
        used = [rule.user_config_dir, rule.user_log_dir, rule.user_cache_dir]
        used += [rule.user_runtime_dir, service.service(system, home, ("python",)).path]
    else:  # platformdirs' own rules for Windows ask Windows
        used = [home / "Local" / name for name in ("defocus", "defocus/Logs", "Temp/defocus")]
    for place in map(Path, used):
        assert any(place.is_relative_to(folder) for folder in own), place


def test_own_folders_are_those_the_daemon_uses(install):
    own = install.own_folders()
    assert connection.config_dir() in own
    assert connection.runtime_dir() in own
    assert any(log_dir().is_relative_to(folder) for folder in own)


def test_a_name_that_is_taken_on_the_path_is_left_alone(install, home):
    link = home / ".local" / "bin" / "defocus"
    link.write_text("someone else's")
    assert install.path_link() is None


def test_doctor_notices_a_gimp_without_python(install, home, tmp_path, monkeypatch, capsys):
    program = tmp_path / "bin" / "gimp-3.0"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(install, "works", lambda *_: False)
    assert install.doctor(install.Steps(dry=False), mend=False) == 1
    assert "apt-get install python3-gi gir1.2-gimp-3.0" in capsys.readouterr().out


def test_doctor_names_what_is_missing_and_the_next_step(install, home, capsys):
    assert install.doctor(install.Steps(dry=False), mend=False) == 1
    said = capsys.readouterr().out
    assert "[miss] environment" in said
    assert "not installed" in said
    assert "doctor --mend" in said
