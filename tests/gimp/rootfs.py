"""Builds, once, a Debian root file system with a real GIMP 3 and runs programs inside it.

    python -m tests.gimp.rootfs trixie [forky]     build (or find) each and print where it is

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

PACKAGES = [
    "gimp",
    "gir1.2-gimp-3.0",
    "python3",
    "python3-gi",
    "python3-gi-cairo",
    "xvfb",
    "xdotool",
    "openbox",
    "imagemagick",
    "adwaita-icon-theme",
    "fonts-dejavu-core",
    "coreutils",
    "dash",
    "bash",
    "sed",
    "grep",
    "libc-bin",
]

# Packages are only extracted (28 s against minutes): what their installation scripts would have
# done and GIMP needs is done here. update-mime-database comes before the pixbuf loaders,
# which read its result.
CONFIGURE = r"""
set -e
lib=/usr/lib/$(uname -m)-linux-gnu
printf 'root:x:0:0:root:/root:/bin/sh\nphoto:x:1000:1000::/home/photo:/bin/sh\n' > /etc/passwd
printf 'root:x:0:\nphoto:x:1000:\n' > /etc/group
printf '127.0.0.1 localhost\n' > /etc/hosts
printf '%s\n' $lib/blas $lib/lapack > /etc/ld.so.conf.d/alternatives.conf
/sbin/ldconfig
$lib/glib-2.0/glib-compile-schemas /usr/share/glib-2.0/schemas
update-mime-database /usr/share/mime
$lib/gdk-pixbuf-2.0/gdk-pixbuf-query-loaders --update-cache
$lib/libgtk-3-0t64/gtk-query-immodules-3.0 --update-cache 2>/dev/null || true
fc-cache -s
for tool in import convert; do ln -sf $tool-im7.q16 /usr/bin/$tool; done
mkdir -p /home/photo /run/user/0
export HOME=/home/photo
gimp-console -i --quit --batch-interpreter=plug-in-script-fu-eval -b '(gimp-quit 0)'
"""


class UnavailableError(Exception):
    """A real GIMP cannot be had on this machine; the text says why."""


@dataclass(frozen=True)
class Root:
    """A root file system with GIMP in it."""

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
        """Copy the warmed-up home (GIMP has already looked at its own plug-ins) to `path`."""
        shutil.copytree(self.path / "home" / "photo", path, symlinks=True)
        return path


def root_filesystem(suite: str = "trixie") -> Root:
    """Find or build the root file system.

    Raises
    ------
    UnavailableError
        Not root, not Debian, no namespaces, or the packages cannot be fetched.
    """
    _check_host()
    recipe = hashlib.sha256("\n".join([suite, *PACKAGES, CONFIGURE]).encode()).hexdigest()[:10]
    cache = platformdirs.user_cache_path("defocus")
    cache.mkdir(parents=True, exist_ok=True)
    final = cache / f"gimp-rootfs-{suite}-{recipe}"
    if final.is_dir():
        return Root(final)
    with filelock.FileLock(cache / f"gimp-rootfs-{suite}.lock"):
        if not final.is_dir():
            building = cache / f"gimp-rootfs-{suite}.part"
            shutil.rmtree(building, ignore_errors=True)
            _build(suite, building)
            for old in cache.glob(f"gimp-rootfs-{suite}-*"):
                shutil.rmtree(old, ignore_errors=True)
            building.rename(final)
    return Root(final)


def _check_host() -> None:
    if not sys.platform.startswith("linux") or not shutil.which("apt-get"):
        raise UnavailableError("a Debian host is needed to build GIMP's root file system")
    if os.geteuid() != 0:
        raise UnavailableError("only root can build and enter GIMP's root file system")
    probe = ["unshare", "--mount", "--pid", "--fork", "true"]
    if not shutil.which("unshare") or subprocess.run(probe, check=False).returncode:
        raise UnavailableError("mount namespaces are not allowed here")


def _build(suite: str, target: Path) -> None:
    if not shutil.which("mmdebstrap"):
        _call(["apt-get", "update"], "apt-get update")
        _call(
            ["apt-get", "install", "-y", "--no-install-recommends", "mmdebstrap"], "apt-get install"
        )
    slim = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "help")]
    _call(
        [
            "mmdebstrap",
            "--mode=root",
            "--variant=extract",
            f"--include={' '.join(PACKAGES)}",
            # a mirror may lag behind or be frozen on purpose; signatures are checked all the same
            '--aptopt=Acquire::Check-Valid-Until "false"',
            *slim,
            suite,
            str(target),
            _mirror(),
        ],
        "mmdebstrap",
    )
    done = Root(target).run(["/bin/sh", "-c", CONFIGURE], timeout=400)
    if done.returncode:
        raise UnavailableError(f"configuring GIMP failed: {(done.stdout + done.stderr)[-1500:]}")


def _mirror() -> str:
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


def _call(argv: Sequence[str], name: str, patience_s: float = 400.0) -> None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=patience_s)
    except subprocess.TimeoutExpired as late:
        raise UnavailableError(f"{name} took more than {patience_s:g} s") from late
    if done.returncode:
        raise UnavailableError(f"{name} failed: {(done.stdout + done.stderr)[-800:]}")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(root_filesystem(name).path, flush=True)
