"""Taking everything away: nothing of ours stays, nothing of others goes."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.runtime.log import LOG_NAME, WORKER_LOG_NAME, log_dir
from daemon.server import presence
from daemon.setup import demo_files, removal, service
from daemon.setup.ledger import Ledger
from daemon.setup.outside import Outside, announce
from daemon.setup.removal import Removal
from daemon.wire import curve_auth, discovery
from tests.daemon.setup.conftest import files, wait_until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="checks the folders of Linux")
NOBODY = 65534


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """An empty copy to be taken away, instead of this one."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    monkeypatch.setattr(removal, "ROOT", folder)
    monkeypatch.setattr(removal.service, "_call", lambda _: None)
    return folder


@pytest.fixture
def uninstall(checkout, steps, places, environment):
    """Takes everything away."""

    def uninstall():
        removing = Removal(steps, places, environment)
        removing.outside()
        removing.inside()
        return removing

    return uninstall


def test_trained_weights_stay_and_are_named(uninstall, places, own_models):
    folder = places.models()
    assert folder == own_models
    folder.mkdir(parents=True)
    (folder / "mine.safetensors").touch()
    assert any(f"{folder}: weights that you have trained" in line for line in uninstall().kept)
    assert (folder / "mine.safetensors").exists()


def live(home):
    """Leave what the daemon leaves."""
    log_dir().mkdir(parents=True, exist_ok=True)
    for name in (LOG_NAME, f"{LOG_NAME}.1", WORKER_LOG_NAME):
        (log_dir() / name).touch()
    curve_auth.allow("laptop", curve_auth.key_pair("client").public)
    curve_auth.trust("box:5000", curve_auth.key_pair("daemon").public)
    run = discovery.runtime_dir()
    presence.lock(run).release()
    where = {"started": 1.0, "server": "", "work": "", "control": "", "token": ""}
    presence.publish(discovery.Connection(pid=os.getpid(), **where), run)
    for name in ("work", "control", "worker-3"):
        os.mknod(run / f"{name}.sock", stat.S_IFSOCK | 0o600)
    (home / ".cache/defocus/models/vitmatte").mkdir(parents=True)


def made(folder):
    """Leave what the demo leaves; also of one that was killed."""
    (folder / f"{demo_files.UNFINISHED}abc").mkdir(parents=True)
    pictures = [folder / name for name in demo_files.NAMES]
    for path in pictures:
        path.write_text(path.name)
    demo_files.remember(folder, pictures)


def test_nothing_is_left_behind(home, places, environment, uninstall, steps, checkout, tmp_path):
    before = files(home)
    Outside(places, environment).install(steps)
    unit = service.service("linux", home, ("python",)).path
    unit.parent.mkdir(parents=True)
    unit.write_text("[Unit]")
    live(home)
    made(checkout / "demo-output")
    assert len(files(home)) > len(before) + 10
    removing = uninstall()
    assert removing.kept == []
    assert {name for name in files(home) - before if not (home / name).is_dir()} == set()
    assert not environment.folder.exists()
    assert not (tmp_path / "run" / "defocus").exists()
    assert "defocus" not in " ".join(files(home))
    assert files(checkout) == set()


def test_folders_that_were_not_there_before_go_again(
    home, places, environment, uninstall, steps, monkeypatch
):
    shutil.rmtree(home)
    home.mkdir()
    kept = home / ".config" / "GIMP" / "3.0" / "gimprc"
    monkeypatch.setenv("GIMP3_DIRECTORY", str(home / ".config/GIMP/3.2"))
    Outside(places, environment).install(steps)
    log_dir().mkdir(parents=True)
    Outside(places, environment).install(steps)  # a second run forgets nothing
    kept.parent.mkdir(parents=True)
    kept.touch()  # what others put there meanwhile stays
    uninstall()
    assert files(home) == {".config", ".config/GIMP", ".config/GIMP/3.0", ".config/GIMP/3.0/gimprc"}


@pytest.mark.parametrize("shared", [False, True])
def test_from_folders_the_user_named_it_takes_only_its_own(
    home, places, uninstall, tmp_path, monkeypatch, shared
):
    names = {"CONFIG": "CONFIG", "LOG": "LOG", "RUNTIME": "RUN"}
    for variable, name in names.items():
        folder = tmp_path / ("shared" if shared else name)
        monkeypatch.setenv(f"DEFOCUS_{variable}_DIR", str(folder))
    discovery.runtime_dir()
    others = ("photo.jpg", "daemon.log.old", "daemons.json", "keys/id.json") if shared else ()
    for other in others:
        (tmp_path / "shared" / other).parent.mkdir(exist_ok=True)
        (tmp_path / "shared" / other).touch()
    before = files(tmp_path)
    Ledger().write(places)
    announce(places, [])
    live(home)
    assert len(files(tmp_path)) > len(before) + 10
    kept = uninstall().kept
    left = {name for name in files(tmp_path) if not name.startswith("copy")}
    assert left - {"home/.cache"} == {n for n in before if not n.startswith("copy")} - {"RUN"}
    assert all(any(other.split("/")[0] in text for text in kept) for other in others)


def test_what_is_not_ours_stays_and_is_named(checkout, home, uninstall):
    mine = [
        checkout / "demo-output" / "holiday.png",
        checkout / "demo-output" / "composite.png",
        home / ".config/defocus/notes.txt",
        home / ".cache/defocus/mine",
    ]
    made(checkout / "demo-output")
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    removing = uninstall()
    kept = removing.kept
    assert [path.read_text() for path in mine] == ["mine"] * 4
    assert all(any(str(path) in text for text in kept) for path in mine)
    assert any(text.endswith("composite.png was changed since it was made") for text in kept)
    assert files(checkout / "demo-output") == {"composite.png", "holiday.png"}
    assert removing.found


def test_where_nothing_was_installed_that_is_said(checkout, environment, uninstall, capsys):
    shutil.rmtree(environment.folder)
    (checkout / ".pytest_cache").mkdir()
    uninstall().say_what_stays()
    assert capsys.readouterr().out.splitlines()[1:] == ["   nothing of an installation was found"]


def test_no_link_is_followed_into_another_users_files(home, uninstall, tmp_path, monkeypatch):
    """Another user puts a link with our name into the shared temporary folder."""
    victim = tmp_path / "victim" / "defocus"
    victim.mkdir(parents=True)
    (victim / "connection.json").write_text("precious")
    shared = tmp_path / "tmp"
    shared.mkdir(mode=0o777)
    link = shared / f"runtime-{os.getuid()}"
    link.symlink_to(tmp_path / "victim")
    monkeypatch.setattr("tempfile.tempdir", str(shared))
    if os.getuid() == 0:
        os.lchown(link, NOBODY, NOBODY)
    else:
        monkeypatch.setattr(removal, "unsafe", lambda path: "x" if link in path.parents else "")
    kept = uninstall().kept
    assert (victim / "connection.json").read_text() == "precious"
    assert any(str(link) in text for text in kept)


def test_another_users_file_does_not_stop_it_half_way(home, uninstall, tmp_path, monkeypatch):
    if os.getuid() != 0:
        pytest.skip("only root can make another user's file")
    run = tmp_path / "run" / "defocus"
    run.mkdir(mode=0o700)
    for name in ("work.sock", "control.sock"):
        (run / name).touch()
    os.chown(run / "control.sock", NOBODY, NOBODY)
    (home / ".config" / "defocus").mkdir()
    (home / ".config" / "defocus" / "announce.json").touch()
    removing = uninstall()
    assert not (home / ".config" / "defocus").exists()
    assert files(run) == {"control.sock"}
    assert any("belongs to nobody" in text for text in removing.kept)


def test_a_daemon_is_stopped_without_its_environment(environment, tmp_path):
    words = [sys.executable, "-c", "import time; time.sleep(60)", "daemon.cli.main"]
    with subprocess.Popen(words) as process:
        where = tmp_path / "connection.json"
        where.write_text(json.dumps({"pid": process.pid}))
        wait_until(lambda: b"sleep" in Path(f"/proc/{process.pid}/cmdline").read_bytes())
        removal.STOP_S, usual = (
            0.2,
            removal.STOP_S,
        )  # the child stays a zombie until it is waited for
        try:
            removal.stop_daemon(where, environment)
        finally:
            removal.STOP_S = usual
        assert process.wait(10) < 0


def test_another_program_with_the_number_of_a_daemon_lives_on(environment, tmp_path):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        where = tmp_path / "connection.json"
        where.write_text(json.dumps({"pid": process.pid}))
        removal.stop_daemon(where, environment)
        assert process.poll() is None
        process.kill()
