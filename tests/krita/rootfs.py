"""The Debian root file system with a real Krita 5.2.

python -m tests.krita.rootfs     build (or find) it and print where it is
"""

from __future__ import annotations

from tests.rootfs import AFTER, BEFORE, SHELL, Recipe

PACKAGES = (
    "krita",
    "python3",
    "python3-pyqt5",
    "xvfb",
    "openbox",
    "imagemagick",
    *SHELL,
)
FOLDERS = "mkdir -p -m 0700 /home/photo /run/user/0\n\n"
CONFIGURE = BEFORE + "update-mime-database /usr/share/mime\n" + AFTER + FOLDERS
KRITA = Recipe("krita", PACKAGES, CONFIGURE)


if __name__ == "__main__":
    print(KRITA.root("trixie").path, flush=True)
