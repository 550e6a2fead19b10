"""Attacks by what lies in a folder: modules, links, names, files of another user."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from bokeh_core.errors import OutputError
from bokeh_core.picture.files import replacing
from daemon.runtime.child_process import own_module
from tests.attacks.attack import Attack, Succeeded, expect
from tests.reliability.sandbox import sandbox

ROOT = Path(__file__).parents[2]
PLANTED = ("numpy", "msgspec", "torch", "zmq", "argparse", "json")
NOBODY = 65_534


def planted_modules() -> str:
    """Render a photo, and start the daemon, in a folder with modules of our libraries' names."""
    with sandbox() as place:
        trap, sprung = place.root / "downloads", place.root / "sprung"
        trap.mkdir()
        for name in PLANTED:
            (trap / f"{name}.py").write_text(f"open({str(sprung)!r}, 'a').write({name!r} + ' ')\n")
        shutil.copy(ROOT / "bokeh_core/samples/astronaut.png", trap / "photo.png")
        variables = {**place.environment(), "PYTHONPATH": os.pathsep}
        for words in (
            ("photo", "photo.png", "--no-daemon", "--out", "out"),
            ("daemon", "start", "--engine", place.engine),
            ("daemon", "stop"),
        ):
            command = own_module("daemon.cli.main", *words)
            done = subprocess.run(
                command, cwd=trap, env=variables, capture_output=True, text=True, check=False
            )
            expect(done.returncode == 0, f"{words}: {done.stderr}")
        expect(not sprung.exists(), f"run: {sprung.read_text() if sprung.exists() else ''}")
    return f"none of {len(PLANTED)} modules was run by three commands and the worker"


def swapped_target() -> str:
    """Save into a shared folder while another user swaps each new file for a link."""
    if os.name != "posix" or os.getuid() != 0:
        return "not tried: needs root to be two users"
    with tempfile.TemporaryDirectory() as folder:
        shared, victim = Path(folder, "shared"), Path(folder, "victim")
        Path(folder).chmod(0o755)
        shared.mkdir()
        shared.chmod(0o777)
        victim.write_text("private")
        victim.chmod(0o600)
        attacker = multiprocessing.get_context("fork").Process(target=_swap, args=(shared, victim))
        attacker.start()
        saved = refused = 0
        until = time.monotonic() + 4
        try:
            while time.monotonic() < until:
                try:
                    with replacing(shared / f"{saved}.jpg") as file:
                        file.write(bytes(1 << 20))
                    saved += 1
                except OutputError:  # noqa: PERF203 - it is what is counted
                    refused += 1
        finally:
            attacker.terminate()
            attacker.join()
        mode = victim.stat().st_mode & 0o777
        expect(victim.read_text() == "private" and mode == 0o600, f"victim has mode {mode:o}")
    return f"the other's file stayed as it was: {saved} saved, {refused} refused in one line"


def _swap(shared: Path, victim: Path) -> None:
    """Be another user who puts links in the place of what is being written, for ten seconds."""
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for name in os.listdir(shared):  # noqa: PTH208 - quicker
            if name.endswith(".part"):
                try:
                    (shared / name).rename(shared / f"{name}.gone")
                    (shared / name).symlink_to(victim)
                except OSError:
                    continue


def by_tests(file: str, word: str) -> str:
    """Do attacks that are written down as tests of their subject: all of a file, or with a word."""
    words = [sys.executable, "-m", "pytest", "-q", "--no-header", file, "-k", word]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    counts = done.stdout.strip().splitlines()[-1].partition(" in ")[0]
    if done.returncode:
        raise Succeeded(counts)
    return f"{counts.partition(',')[0]}: `{file}`{f', {word}' if word else ''}"


SETUP = "tests/daemon/setup"
ATTACKS = (
    Attack(
        "modules named like our libraries lie beside a photo",
        "run by `photo`, three times by `daemon start`, by GIMP and by the installer",
        planted_modules,
    ),
    Attack(
        "the same for the installed command, the plug-in, the service and the installer",
        "run",
        partial(by_tests, f"{SETUP}/test_isolation.py", ""),
    ),
    Attack(
        'the copy or the environment lies in a folder named $HOME, `id`, q"uote or 100%',
        "the name was run by the shell, or broke the command",
        partial(by_tests, f"{SETUP}/test_outside.py", "folder_of_any_name"),
    ),
    Attack(
        "the names of photos and keys hold escape sequences",
        "sent to the terminal raw",
        partial(by_tests, "tests/daemon/cli/test_photo.py", "names_reach_the_terminal_escaped"),
    ),
    Attack(
        "another user's link in the temporary folder meets uninstall",
        "followed; a folder behind it deleted",
        partial(by_tests, f"{SETUP}/test_removal.py", "no_link_is_followed"),
    ),
    Attack(
        "another user's file in the runtime folder meets uninstall",
        "stopped half-way",
        partial(by_tests, f"{SETUP}/test_removal.py", "does_not_stop_it_half_way"),
    ),
    Attack(
        "another user swaps the file that is being saved for a link",
        "a private file (0600) became a JPEG (0644)",
        swapped_target,
    ),
    Attack(
        "the umask is 000",
        "logs, state and keys for everybody to read, the key folder to swap",
        partial(by_tests, "tests/daemon/wire/test_discovery.py", "umask"),
    ),
    Attack(
        "DEFOCUS_RUNTIME_DIR is a link to a folder in use",
        "taken, and its sockets removed",
        partial(by_tests, "tests/daemon/wire/test_discovery.py", "link_leads_to_an_empty"),
    ),
    Attack(
        "a TIFF of 156 bytes promises a picture inside its strips",
        "0.9 GB (one of 13 kB: 2.8 GB)",
        partial(by_tests, "tests/bokeh_core/picture/corpus/test_limits.py", ""),
    ),
    Attack(
        "a false daemon promises a frame of 1.9 GB to a plug-in",
        "room was made for it",
        partial(by_tests, "tests/light/test_client.py", "no_room_is_made"),
    ),
    Attack(
        "a server sends more than a model's recorded size",
        "written until the disk is full",
        partial(by_tests, "tests/bokeh_core/networks/test_download.py", "not_more_is_taken"),
    ),
    Attack(
        "a worker writes its log at full rate",
        "17 GB a day",
        partial(by_tests, "tests/daemon/server/test_recovery.py", "log_is_cut"),
    ),
)
