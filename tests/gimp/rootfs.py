"""The Debian root file systems with a real GIMP 3.

python -m tests.gimp.rootfs trixie [forky]     build (or find) each and print where it is
"""

from __future__ import annotations

import sys

from tests.rootfs import AFTER, BEFORE, SHELL, Recipe, Root

PACKAGES = (
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
    *SHELL,
)

# update-mime-database comes before the pixbuf loaders, which read its result
CONFIGURE = (
    BEFORE
    + r"""$lib/glib-2.0/glib-compile-schemas /usr/share/glib-2.0/schemas
update-mime-database /usr/share/mime
$lib/gdk-pixbuf-2.0/gdk-pixbuf-query-loaders --update-cache
$lib/libgtk-3-0t64/gtk-query-immodules-3.0 --update-cache 2>/dev/null || true
"""
    + AFTER
    + """mkdir -p /home/photo /run/user/0
export HOME=/home/photo
gimp-console -i --quit --batch-interpreter=plug-in-script-fu-eval -b '(gimp-quit 0)'
"""
)
GIMP = Recipe("gimp", PACKAGES, CONFIGURE)


def root_filesystem(suite: str = "trixie") -> Root:
    """Find or build the one of a Debian suite; raises UnavailableError where that cannot be."""
    return GIMP.root(suite)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(root_filesystem(name).path, flush=True)
