"""Tries the README's two commands on other machines: root file systems of several Debians.

    python -m tests.machines bookworm trixie forky            demo, again, the quick checks
    python -m tests.machines trixie --whole                   demo, again, `install.py test`

Each machine is made anew and is gone afterwards. A normal user has the checkout in a folder with a
space and an umlaut in its name, no git, no terminal, and a small /tmp in memory. Prints one row of
the table in docs/install.md per machine; the exit code tells whether everything passed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests import rootfs
from tests.rootfs import Root, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PACKAGES = ("python3", "python3-venv", "ca-certificates")
HOME = "/home/photo"
PLACE = f"{HOME}/Bokeh für GIMP/defocus"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
PATIENCE_S = 5400
HEAD = (
    "| machine | Python | `demo` | again | GB at the fullest | GB afterwards | checks |\n"
    "|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Row:
    """What was found on one machine."""

    machine: str
    python: str
    demo_s: float
    again_s: float
    peak_gb: float
    kept_gb: float
    checks: str
    passed: bool

    def __str__(self) -> str:
        return (
            f"| {self.machine} | {self.python} | {self.demo_s:.0f} s | {self.again_s:.0f} s "
            f"| {self.peak_gb:.1f} | {self.kept_gb:.1f} | {self.checks} |"
        )


@contextmanager
def machine(suite: str) -> Iterator[Root]:
    """Make a Debian with a normal user and this checkout; it is gone afterwards.

    Raises
    ------
    UnavailableError
        Root file systems cannot be made here.
    """
    rootfs.check_host("installing")
    if not shutil.which("mmdebstrap"):
        rootfs.call(["apt-get", "install", "-y", "mmdebstrap"], "apt-get install")
    with tempfile.TemporaryDirectory(prefix=f"defocus-{suite}-") as folder:
        path = Path(folder) / "root"
        words = ["mmdebstrap", "--mode=root", "--variant=minbase"]
        words += [f"--include={','.join(PACKAGES)}", "--dpkgopt=force-unsafe-io"]
        words += ['--aptopt=Acquire::Check-Valid-Until "false"', suite, str(path), rootfs.mirror()]
        rootfs.call(words, "mmdebstrap", 900)
        _furnish(path)
        yield Root(path)


def _furnish(path: Path) -> None:
    """Add the user, the checkout, and this machine's way to the network."""
    for name in ("/etc/resolv.conf", CERTIFICATES):
        shutil.copy(name, f"{path}{name}")
    with (path / "etc/passwd").open("a") as users:
        users.write(f"photo:x:1000:1000::{HOME}:/bin/sh\n")
    place = Path(f"{path}{PLACE}")
    place.mkdir(parents=True)
    files = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "x"], input=files.stdout, cwd=place, check=True)
    subprocess.run(["chown", "-R", "1000:1000", f"{path}{HOME}"], check=True)


def run(root: Root, command: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run a shell command as the user, in the checkout; gives what it said and the seconds."""
    passed_on = {name: os.environ[name] for name in ("PIP_CERT",) if name in os.environ}
    variables = {"HOME": HOME, "LANG": "C.UTF-8", "SSL_CERT_FILE": CERTIFICATES, **passed_on}
    became = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "env", "-i"]
    became += [f"{name}={value}" for name, value in variables.items()]
    became += ["PATH=/usr/bin:/bin", "sh", "-c", f'cd "{PLACE}" && {command}']
    began = time.monotonic()
    done = root.run(became, timeout=PATIENCE_S)
    return done, time.monotonic() - began


@contextmanager
def least_free(folder: Path) -> Iterator[list[float]]:
    """Watch the free disk while something runs; the list then holds the GB taken at the fullest."""
    ended, taken = threading.Event(), [0.0]
    before = shutil.disk_usage(folder).free

    def watch() -> None:
        while not ended.wait(0.5):
            taken[0] = max(taken[0], (before - shutil.disk_usage(folder).free) / 1e9)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield taken
    finally:
        ended.set()
        watcher.join()


def try_out(suite: str, *, whole: bool) -> Row:
    """Run the README's commands on one machine."""
    with machine(suite) as root:
        python = run(root, "python3 -V")[0].stdout.split()[-1]
        with least_free(root.path) as taken:
            demo, demo_s = run(root, "python3 install.py demo")
        print(demo.stdout + demo.stderr, file=sys.stderr)
        again, again_s = run(root, "python3 install.py demo")
        kept = sum(f.stat().st_size for f in root.path.rglob(".venv/**/*") if f.is_file())
        quick = "python3 install.py --with dev && .venv/bin/python -I -m pytest"
        quick += ' -m "not slow and not gimp"'
        checks, _ = run(root, "python3 install.py test" if whole else quick)
        print(checks.stdout[-20_000:] + checks.stderr, file=sys.stderr)
        left, _ = run(
            root, "python3 install.py uninstall && find ~ -path '*/Bokeh*' -prune -o -print"
        )
        print(left.stdout[-2000:] + left.stderr, file=sys.stderr)
        codes = (demo, again, checks, left)
        return Row(
            machine=f"Debian {suite}",
            python=python,
            demo_s=demo_s,
            again_s=again_s,
            peak_gb=taken[0],
            kept_gb=kept / 1e9,
            checks=checks.stdout.strip().splitlines()[-1].strip("= ") if checks.stdout else "none",
            passed=not any(done.returncode for done in codes),
        )


def main() -> int:
    """Try the machines that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suites", nargs="+", metavar="SUITE", help="as Debian names them")
    parser.add_argument("--whole", action="store_true", help="every check, not only the quick ones")
    args = parser.parse_args()
    print(HEAD)
    failed = False
    for suite in args.suites:
        try:
            row = try_out(suite, whole=args.whole)
        except UnavailableError as reason:
            print(f"| Debian {suite} | cannot be made here: {reason} | | | | | |", flush=True)
            failed = True
            continue
        print(row, flush=True)
        failed |= not row.passed
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
