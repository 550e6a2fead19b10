"""Builds, once, Debian root file systems with a program in them, and runs programs inside.

The tree lives in the platform's cache directory, named after its recipe, so a changed recipe builds
anew and a checkout never carries it. Packages come from the mirror that this machine's apt uses.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import filelock
import platformdirs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


SHELL = (
    "fonts-dejavu-core",
    "coreutils",
    "dash",
    "bash",
    "sed",
    "grep",
    "libc-bin",
)
"""Packages for scripts, and for letters on a screen."""
BEFORE = r"""
set -e
lib=/usr/lib/$(uname -m)-linux-gnu
printf 'root:x:0:0:root:/root:/bin/sh\nphoto:x:1000:1000::/home/photo:/bin/sh\n' > /etc/passwd
printf 'root:x:0:\nphoto:x:1000:\n' > /etc/group
printf '127.0.0.1 localhost\n' > /etc/hosts
printf '%s\n' $lib/blas $lib/lapack > /etc/ld.so.conf.d/alternatives.conf
/sbin/ldconfig
"""
"""First steps of every configuration: users, host, libraries. Later ones find `$lib`."""
AFTER = """fc-cache -s
for tool in import convert; do ln -sf $tool-im7.q16 /usr/bin/$tool; done
"""
"""Last ones of one with a screen: fonts, ImageMagick's names."""


class UnavailableError(Exception):
    """The program cannot be had on this machine; the text says why."""


@dataclass(frozen=True)
class Root:
    """A root file system with the program in it."""

    path: Path

    def run(
        self,
        argv: Sequence[str],
        *,
        visible: Sequence[Path] = (),
        home: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 120.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program inside and wait for it.

        Own mount and process namespaces: whatever happens, no mount and no process is left behind.

        Parameters
        ----------
        argv
            Program and arguments, with paths as seen inside.
        visible
            Host directories bound at the same path inside (an ipc socket's path then holds).
        home
            Host directory bound at /home/photo; the warmed-up template when None.
        env
            Added to a minimal environment.
        timeout
            Seconds until everything inside is killed.

        Raises
        ------
        subprocess.TimeoutExpired
            The program was still running.
        """
        binds = {str(path): str(path) for path in visible}
        if home is not None:
            binds[str(home)] = "/home/photo"
        steps = ["set -e", 'root="$1"; shift', 'mount --rbind /dev "$root/dev"']
        steps += ['mount -t proc proc "$root/proc"', 'mount -t tmpfs tmpfs "$root/tmp"']
        steps += ['mkdir -m 1777 "$root/tmp/.X11-unix"', 'chmod 1777 "$root/tmp"']
        for source, target in binds.items():
            inside = f'"$root{target}"'
            steps += [f"mkdir -p {inside}", f'mount --bind "{source}" {inside}']
        steps.append('exec chroot "$root" "$@"')
        inner = {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": "/home/photo",
            "LANG": "C.UTF-8",
            "XDG_RUNTIME_DIR": "/run/user/0",
            "NO_AT_BRIDGE": "1",
            **(env or {}),
        }
        return subprocess.run(
            [
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "--propagation",
                "private",
                "sh",
                "-c",
                "\n".join(steps),
                "sh",
                str(self.path),
                *argv,
            ],
            env=inner,
            timeout=timeout,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def new_home(self, path: Path) -> Path:
        """Copy the home that the recipe has left, warmed up, to `path`."""
        shutil.copytree(self.path / "home" / "photo", path, symlinks=True)
        return path


@dataclass(frozen=True)
class Recipe:
    """How a root file system is made.

    Parameters
    ----------
    name
        Of the program, as its tree is called.
    packages
        What Debian calls all that is needed. They are only extracted (28 s against minutes).
    configure
        What their installation scripts would have done and the program needs: a shell script.
    """

    name: str
    packages: tuple[str, ...]
    configure: str

    def root(self, suite: str) -> Root:
        """Find or build the root file system of a Debian suite.

        Raises
        ------
        UnavailableError
            Not root, not Debian, no namespaces, or the packages cannot be fetched.
        """
        check_host(self.name)
        text = "\n".join([suite, *self.packages, self.configure])
        digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        cache = platformdirs.user_cache_path("defocus")
        cache.mkdir(parents=True, exist_ok=True)
        named = f"{self.name}-rootfs-{suite}"
        final = cache / f"{named}-{digest}"
        if final.is_dir():
            return Root(final)
        with filelock.FileLock(cache / f"{named}.lock"):
            if not final.is_dir():
                building = cache / f"{named}.part"
                shutil.rmtree(building, ignore_errors=True)
                self._build(suite, building)
                for old in cache.glob(f"{named}-*"):
                    shutil.rmtree(old, ignore_errors=True)
                building.rename(final)
        return Root(final)

    def _build(self, suite: str, target: Path) -> None:
        if not shutil.which("mmdebstrap"):
            call(["apt-get", "update"], "apt-get update")
            install = ["apt-get", "install", "-y", "--no-install-recommends", "mmdebstrap"]
            call(install, "apt-get install")
        slim = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "help")]
        call(
            [
                "mmdebstrap",
                "--mode=root",
                "--variant=extract",
                f"--include={' '.join(self.packages)}",
                # a mirror may lag behind or be frozen on purpose; signatures are checked anyway
                '--aptopt=Acquire::Check-Valid-Until "false"',
                *slim,
                suite,
                str(target),
                mirror(),
            ],
            "mmdebstrap",
            900.0,
        )
        done = Root(target).run(["/bin/sh", "-c", self.configure], timeout=400)
        if done.returncode:
            told = (done.stdout + done.stderr)[-1500:]
            raise UnavailableError(f"configuring {self.name} failed: {told}")


def check_host(name: str) -> None:
    """Raise UnavailableError where no root file system can be built or entered."""
    if not sys.platform.startswith("linux") or not shutil.which("apt-get"):
        raise UnavailableError(f"a Debian host is needed to build a root file system ({name})")
    if os.geteuid() != 0:
        raise UnavailableError(f"only root can build and enter a root file system ({name})")
    probe = ["unshare", "--mount", "--pid", "--fork", "true"]
    if not shutil.which("unshare") or subprocess.run(probe, check=False).returncode:
        raise UnavailableError("mount namespaces are not allowed here")


def mirror() -> str:
    """Where this machine's apt gets Debian itself from."""
    listed = subprocess.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(COMPONENT) $(RELEASE) $(REPO_URI)",
            "Created-By: Packages",
        ],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    for line in listed.splitlines():
        component, release, uri = line.split(" ", 2)
        if component == "main" and "-" not in release and "debian" in uri:
            return uri
    raise UnavailableError("apt has no Debian mirror configured")


def call(argv: Sequence[str], name: str, patience_s: float = 400.0) -> None:
    """Run a program; raises UnavailableError, with its last words, when it fails."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=patience_s)
    except subprocess.TimeoutExpired as late:
        raise UnavailableError(f"{name} took more than {patience_s:g} s") from late
    if done.returncode:
        raise UnavailableError(f"{name} failed: {(done.stdout + done.stderr)[-800:]}")
