"""Puts the packages of the lock files into an environment, and says what hinders."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.runtime import child_process
from daemon.setup import children, lock, machine
from daemon.setup.places import ROOT
from daemon.setup.problems import SetupProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.setup.environment import Environment

CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
ROOM_GB = {"cpu": 1.6, "any": 6.0}
"""Free disk that a new environment needs at its fullest, downloads included."""
DOWNLOAD_GB = {"cpu": 0.4, "any": 2.7}
BUILD = {"cpu": "PyTorch's CPU build", "any": "the package index's build of PyTorch"}
IMPORTS = (
    "import torch, cv2, PIL, pillow_heif, tifffile, imagecodecs, safetensors, zmq, msgpack, msgspec"
)
"""Loads every compiled part."""
PIP = ("pip", "--no-input", "--disable-pip-version-check")
"""Nobody would see it ask for a password, and wait."""
# byte code is made at the first import, of what is imported: compiling all takes a minute
INSTALL = (*PIP, "install", "--no-compile")
IMPATIENT = ("--timeout", "8", "--retries", "1")
"""For the first, small package: a network that swallows everything is told after 20 seconds."""
FIRST = r"filelock$"
LARGE = (r"torch$", r"nvidia-(cudnn|cublas)", r"(nvidia|cuda)-")
"""What is fetched in calls of its own: a download is gone before the next one comes, and an
interrupted run loses one of them at most."""


def choose_build(asked: str | None, current: Environment) -> tuple[str, str]:
    """Choose where torch comes from, "cpu" or "any", and say why.

    The package index has CUDA builds for Linux x86-64 (3.5 GB more, they run on a CPU too);
    PyTorch's own index has a CPU build.
    """
    if not machine.is_linux_x86():
        return "any", "the package index has the right build for this system"
    if asked is not None:
        return asked, "as asked for"
    if current.record.complete:
        return current.record.build, "as before"
    return _fitting_build()


def _fitting_build() -> tuple[str, str]:
    if machine.has_nvidia():
        return "any", "an NVIDIA card is here: CUDA build"
    if any(os.environ.get(name) for name in ("PIP_INDEX_URL", "PIP_NO_INDEX")) or pip_has_index():
        return "any", "pip is configured with an index of its own: only that one is used"
    if not answers(f"{CPU_WHEELS}/torch/"):
        return "any", "PyTorch's CPU index does not answer: the larger CUDA build (it needs no GPU)"
    return "cpu", "no NVIDIA card: CPU build from PyTorch's own index, it saves 3.5 GB"


def answers(address: str) -> bool:
    """Whether an address gives something within a moment."""
    try:
        with urllib.request.urlopen(address, timeout=4) as answer:  # noqa: S310 - a constant
            return bool(answer.read(1))
    except (OSError, ValueError):
        return False


def pip_has_index() -> bool:
    """Whether pip's settings name the one index to use, or none."""
    shown = subprocess.run(
        child_process.module("pip", "config", "list", python=machine.base_python()),
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return bool(re.search(r"\.(index-url|no-index)=", shown))


def check_room(current: Environment, build: str) -> None:
    """Stop where a new environment would not fit.

    Raises
    ------
    SetupProblem
        Says how much there is and how much it takes.
    """
    if current.record.complete or current.next().record.done:
        return  # most of it is there already
    free, needed = machine.free_gb(current.folder.parent), ROOM_GB[build]
    if free < needed:
        raise SetupProblem(
            f"Only {free:.1f} GB are free in {current.folder.parent}, and {needed:.1f} GB are "
            f"needed for {BUILD[build]}.",
            _less_room(needed, build),
        )


def _less_room(needed: float, build: str) -> str:
    small = f", or take the small way: install.py --cpu ({ROOM_GB['cpu']:.1f} GB)"
    return (
        f"Free {needed:.1f} GB there{small if build == 'any' and machine.is_linux_x86() else ''}, "
        "or move this folder to a larger disk; then run the same command again."
    )


def effort(current: Environment, build: str) -> str:
    """Say what an installation takes, before it begins."""
    download = DOWNLOAD_GB[build]
    minutes = max(1, round(download * 8e3 / 100 / 60))
    cache = f" and {download:.1f} GB for pip's cache" if cache_fits(current, build) else ""
    return (
        f"{BUILD[build]}: {download:.1f} GB to download (about {minutes} min at 100 Mbit/s), "
        f"{ROOM_GB[build]:.1f} GB of disk{cache}"
    )


def cache_fits(current: Environment, build: str) -> bool:
    """Whether pip's cache has room beside the environment; else pip is told to do without."""
    words = child_process.module("pip", "cache", "dir", python=machine.base_python())
    said = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    if not said:
        return True  # there is none, or no pip that could tell
    cache = next(place for place in (Path(said), *Path(said).parents) if place.exists())
    here = current.folder.parent
    beside = cache.stat().st_dev == here.stat().st_dev
    needed = DOWNLOAD_GB[build] + (ROOM_GB[build] if beside else 0)
    return machine.free_gb(cache) > needed


def install(fresh: Environment, *, locked: bool) -> None:
    """Put all packages into an environment that is being made; what is there already stays.

    Raises
    ------
    SetupProblem
        Something hinders; the next run goes on from here.
    """
    note = fresh.record
    options = [] if cache_fits(fresh, note.build) else ["--no-cache-dir"]
    asked = lock.entries(list(note.extras))
    missing = [entry for entry in asked if entry.pin not in note.done]
    if note.build == "cpu":
        missing = [entry for entry in missing if not lock.CUDA.match(entry.name)]
    for group in groups(missing):
        if locked or (note.build == "cpu" and group[0].name == "torch"):
            _call_pip(fresh, [*INSTALL, *options, *_pip_words(fresh, group)])
            note = replace(note, done=(*note.done, *(entry.pin for entry in group)))
            note.write()
    if not locked:
        _call_pip(fresh, [*INSTALL, *options, *lock.ranges(list(note.extras))])


def _call_pip(fresh: Environment, words: list[str]) -> None:
    try:
        children.run_module(fresh, *words)
    except children.ChildFailed as failed:
        raise diagnosis(str(failed), fresh, fresh.record.build) from None


def groups(missing: list[lock.Entry]) -> Iterator[list[lock.Entry]]:
    """Sort packages into calls of pip: a small one first, then the large ones, then the rest."""
    left = missing
    for pattern in (FIRST, *LARGE):
        group = [entry for entry in left if re.match(pattern, entry.name)]
        left = [entry for entry in left if entry not in group]
        if group:
            yield group
    if left:
        yield left


def _pip_words(fresh: Environment, group: list[lock.Entry]) -> list[str]:
    """Return what a call of pip is to put into place."""
    words = IMPATIENT if re.match(FIRST, group[0].name) else ()
    if fresh.record.build == "cpu" and group[0].name == "torch":
        # its hashes are those of PyTorch's index, which sends them along
        return [*words, "--no-deps", "--index-url", CPU_WHEELS, group[0].pin]
    listed = fresh.temporary / "requirements.txt"
    listed.write_text("\n".join(entry.text for entry in group) + "\n", encoding="utf-8")
    return [*words, "--no-deps", "--require-hashes", "-r", str(listed)]


def fault(environment: Environment) -> str:
    """Return the last words of loading everything; empty when all is well."""
    # as runtime/entry.py: what pip has installed for a user lies beside us, and `-I` leaves it out
    beside = f"import sys; sys.path.append({str(ROOT)!r}); "
    command = child_process.code(beside + IMPORTS, environment.python)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{error.strerror}: {environment.python}"
    said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
    return "" if done.returncode == 0 else said[-1]


def diagnosis(output: str, fresh: Environment, build: str) -> SetupProblem:
    """Turn pip's last words into what is wrong and the next step."""
    again = "then run the same command again: what is already there is kept."
    if re.search(r"No space left|Errno 28|disk quota", output, re.IGNORECASE):
        free = machine.free_gb(fresh.folder)
        return SetupProblem(
            f"The disk is full: {free:.1f} GB are free in {fresh.folder.parent}.",
            f"A new installation needs {ROOM_GB[build]:.1f} GB there. "
            f"{_less_room(ROOM_GB[build], build)} What was begun is kept; "
            "install.py uninstall gives its room back.",
        )
    if re.search(r"DO NOT MATCH THE HASHES", output):
        return SetupProblem(
            "A package is not the one that this version of defocus was tested with.",
            "Somebody may have changed it on the way: try another network or index, " + again,
        )
    if re.search(
        r"NewConnectionError|name resolution|timed out|Max retries|SSLError|Proxy", output
    ):
        return SetupProblem(
            "The package index cannot be reached.",
            f"Check the network (or pip's proxy and index settings), {again}",
        )
    if "No matching distribution" in output:
        package = re.findall(r"No matching distribution found for (\S+)", output)
        return SetupProblem(
            f"There is no {' '.join(package[-1:]) or 'fitting package'} for Python "
            f"{platform.python_version()} on {platform.system()} {platform.machine()}.",
            "Use Python 3.10 to 3.14, 64 bit. An index or a folder of wheels with other versions: "
            "install.py --unlocked. An index that asks for a password has to find it in pip's "
            "settings.",
        )
    last = next((line for line in reversed(output.splitlines()) if "ERROR" in line), "pip failed")
    return SetupProblem(f"Packages: {last}", f"Look into {fresh.log}, {again}")
