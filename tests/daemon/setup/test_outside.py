"""One owner of all that lies outside: taking over, moving, doctor's words."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from daemon.setup import (
    command_link,
    doctor,
    launcher,
    ledger,
    outside,
    packages,
    removal,
    service,
    ways,
)
from daemon.setup import places as places_module
from daemon.setup.environment import Environment, running
from daemon.setup.ledger import Ledger
from daemon.setup.outside import Outside
from daemon.setup.problems import SetupProblem
from daemon.setup.removal import Removal
from tests.daemon.setup.conftest import files

REAL = places_module.ROOT
NOBODY = 65534


@pytest.fixture
def copy(tmp_path, environment, monkeypatch):
    """Makes further copies of defocus, and acts as one of them."""

    def become(name):
        folder = tmp_path / name
        if not folder.exists():
            (folder / "daemon").mkdir(parents=True)
            (folder / "install.py").touch()
            shutil.copytree(environment.folder, folder / ".venv", symlinks=True)
        for module in (ledger, outside, command_link, removal, doctor):
            monkeypatch.setattr(module, "ROOT", folder)
        return Environment(folder / ".venv")

    return become


@pytest.fixture
def install(copy, steps, places, monkeypatch):
    """Installs a copy, by name."""
    monkeypatch.setattr(service, "_call", lambda _: None)
    monkeypatch.setattr(removal, "stop_daemon", lambda *_: None)

    def install(name):
        made = copy(name)
        command_link.write_command(made)
        Outside(places, made).install(steps)
        return made

    return install


def faults(places, environment):
    return [f.text for f in doctor.outside(places, environment) if not f.good]


def test_a_second_copy_takes_over_with_a_word(install, places, home, tmp_path, capsys):
    first = install("first copy")
    unit = service.service(command=service.run_command(first.python))
    service.install(unit)
    capsys.readouterr()
    second = install("second")
    said = capsys.readouterr().out
    assert f"of the copy in {tmp_path / 'first copy'}" in said
    assert (home / ".local/bin/defocus").readlink() == second.command
    for folder in (".config/GIMP/3.2/plug-ins/bokeh", ".config/defocus"):
        noted = json.loads((home / folder / "launcher.json").read_text())
        assert noted["command"][0] == str(second.python)
    assert str(second.python) in unit.path.read_text()
    assert Ledger.read(places).owner == tmp_path / "second"


def test_the_old_copy_takes_nothing_of_the_new_one_away(
    install, copy, places, steps, home, tmp_path
):
    install("first")
    install("second")
    before = files(home)
    old = copy("first")
    assert f"belong to the copy in {tmp_path / 'second'}" in " ".join(faults(places, old))
    removing = Removal(steps, places, old)
    removing.outside()
    removing.inside()
    assert files(home) == before
    assert str(tmp_path / "second") in " ".join(removing.kept)
    assert not old.folder.exists()


def test_after_a_move_the_doctor_names_the_dead_link_and_an_installation_mends_it(
    install, copy, places, home, tmp_path
):
    install("here")
    shutil.move(tmp_path / "here", tmp_path / "there")
    there = copy("there")
    link = home / ".local/bin/defocus"
    found = " ".join(faults(places, there))
    assert "launcher.json starts another copy" not in found, "the owner is still the old place"
    assert f"{link} leads to what is gone, {tmp_path / 'here'}" in found
    assert "it would start another copy" in found
    assert f"{there.command} starts what lies in another place" in found
    install("there")
    assert link.readlink() == there.command
    assert faults(places, there) == [f for f in faults(places, there) if "environment" in f]


def test_a_name_that_is_taken_on_the_path_is_left_alone(install, places, home):
    link = home / ".local" / "bin" / "defocus"
    link.write_text("someone else's")
    made = install("this")
    assert link.read_text() == "someone else's"
    assert "not this program's" in " ".join(faults(places, made))


def test_a_folder_of_somebody_else_stops_it_before_anything_is_done(
    places, environment, home, monkeypatch
):
    config = home / ".config" / "defocus"
    config.mkdir()
    monkeypatch.setattr("os.access", lambda path, _mode: path != config)
    monkeypatch.setattr("daemon.setup.machine.owner", lambda path: "root" if path == config else "")
    monkeypatch.setattr("daemon.setup.machine.owner_name", lambda _: "anna")
    with pytest.raises(SetupProblem, match="belongs to root, and you are anna") as caught:
        Outside(places, environment).check()
    assert f"sudo chown -R anna {config}" in caught.value.step


@contextlib.contextmanager
def nobody():
    """Act as another user; the way back stays open."""
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root makes root's files")
def test_all_that_sudo_has_left_is_named_at_once_and_given_back(
    places, environment, home, steps, tmp_path
):
    """Once with sudo, then as oneself: who acts as nobody meets what root has made."""
    (home / ".local/share/krita").mkdir(parents=True)
    for folder in [*tmp_path.parents, *(p for p in tmp_path.rglob("*") if p.is_dir()), tmp_path]:
        if folder.is_relative_to(Path(tempfile.gettempdir())) and not folder.is_symlink():
            folder.chmod(0o755)
    for folder in (home, *home.rglob("*")):
        os.lchown(folder, NOBODY, NOBODY)
    Outside(places, environment).install(steps)
    closed = [
        home / ".config/GIMP/3.0/plug-ins",
        home / ".config/GIMP/3.2/plug-ins",
        home / ".local/share/krita/pykrita",
        home / ".config/kritarc",
        home / ".config/defocus",
    ]
    with nobody():
        with pytest.raises(SetupProblem, match="belong to root, and you are nobody") as caught:
            Outside(places, environment).check()
        found = [f for f in doctor.outside(places, environment) if "belong to root" in f.text]
        removing = Removal(steps, places, environment)
        removing.outside()
    assert f"sudo chown -R nobody {home / '.config/defocus'}" in "".join(removing.kept)
    assert (home / ".config/defocus/launcher.json").exists()
    cure = places_module.pasted("sudo", "chown", "-R", "nobody", *closed)
    assert cure in caught.value.step
    assert cure in found[0].mend
    subprocess.run(cure.split()[1:], check=True)
    with nobody():
        Outside(places, environment).check()


@pytest.mark.skipif(os.name != "posix", reason="checks what pip makes on Linux")
def test_a_copy_of_pips_is_told_by_its_own_command(tmp_path, home):
    packages = tmp_path / "a pipx" / "lib" / "python3.12" / "site-packages"
    packages.mkdir(parents=True)
    (tmp_path / "a pipx" / "pyvenv.cfg").touch()
    command = tmp_path / "a pipx" / "bin" / "defocus"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    assert ways.way(packages, "install") == f"'{command}' setup gimp"
    assert ways.way(packages, "uninstall") == f"'{command}' setup remove"
    (home / ".local/bin/defocus").symlink_to(command)
    assert ways.way(packages, "mend") == "defocus setup gimp", "it is the one on the PATH"
    copy = tmp_path / "a checkout"
    copy.mkdir()
    (copy / "install.py").touch()
    assert ways.way(copy, "install") == f"python3 '{copy / 'install.py'}'"
    assert ways.way(copy, "mend") == f"python3 '{copy / 'install.py'}' doctor --mend"


def test_a_python_that_is_called_python3_alone_starts_the_daemon(tmp_path, places, monkeypatch):
    """As the system's is on Debian, for which pip has installed into the user's own folder."""
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.touch()
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(python))
    made = running()
    launcher.write(places, made)
    noted = json.loads((places.config() / launcher.FILE_NAME).read_text())
    assert noted["command"][0] == str(python)


def test_packages_of_a_users_own_lie_beside_us(tmp_path, environment, monkeypatch):
    """`pip install --user` puts them where an isolated Python does not look."""
    (tmp_path / "torch_of_a_user.py").touch()
    monkeypatch.setattr(packages, "IMPORTS", "import torch_of_a_user")
    assert "torch_of_a_user" in packages.fault(environment)
    monkeypatch.setattr(packages, "ROOT", tmp_path)
    assert packages.fault(environment) == ""


def test_without_an_editor_nothing_is_broken(places, environment, home):
    shutil.rmtree(home / ".config/GIMP")
    found = [f for f in doctor.outside(places, environment) if f.text.startswith(("GIMP", "Krita"))]
    assert [f.good for f in found] == [True, True]
    assert all("was found" in f.text for f in found)


def test_a_gimp_without_python_is_noticed(places, environment, home, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "gimp-3.0"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr("daemon.setup.gimp.runs", lambda *_: False)
    findings = list(doctor.outside(places, environment))
    assert any("apt-get install python3-gi gir1.2-gimp-3.0" in f.mend for f in findings)


def test_a_machine_without_a_service_manager_is_told_what_to_do_instead(home, monkeypatch):
    def refused(_):
        raise service.ServiceProblem("systemctl cannot be run: No such file or directory")

    monkeypatch.setattr(service, "_call", refused)
    unit = service.service("linux", home, ("python",))
    with pytest.raises(service.ServiceProblem, match="defocus daemon start"):
        service.install(unit)
    assert not unit.path.exists()


@pytest.mark.parametrize("name", ["a b", "$HOME", "`id`", 'q"uote', "it's", "back\\slash", "100%"])
def test_the_command_works_in_a_folder_of_any_name(tmp_path, environment, name):
    folder = tmp_path / name
    shutil.move(environment.folder, folder)
    odd = Environment(folder)
    odd.python.unlink()
    odd.python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    odd.python.chmod(0o755)
    command_link.write_command(odd)
    import subprocess

    said = subprocess.run([odd.command, "a b"], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[0] == "-I"
    assert said.splitlines()[-2:] == ["daemon.cli.main", "a b"]
    assert Path(said.splitlines()[1]).exists()


def test_a_copy_in_a_folder_of_any_name_can_be_imported(tmp_path, environment, monkeypatch):
    import subprocess
    import sys

    odd = tmp_path / "ümläut $x 100% 'q'"
    monkeypatch.setattr(command_link, "ROOT", odd)
    command_link.write_command(environment)
    line = next(environment.folder.rglob("defocus.pth")).read_bytes()
    assert line.isascii()
    code = f"import sys; exec({line.decode()!r}); print(ascii(sys.path[-1]))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ascii(str(odd))


def test_a_lost_note_of_how_the_daemon_is_started_is_told_and_mended(install, places, home, steps):
    made = install("this")
    note = home / ".config" / "defocus" / "launcher.json"
    assert json.loads(note.read_text())["command"][-2:] == ["daemon", "start"]
    note.unlink()
    assert "do not know how to start the daemon" in " ".join(faults(places, made))
    note.write_text("{}")
    assert "starts another copy" in " ".join(faults(places, made))
    install("this")
    assert not [text for text in faults(places, made) if "launcher" in text]
    Removal(steps, places, made).outside()
    assert not note.parent.exists()
