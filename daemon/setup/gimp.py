"""The GIMPs of this user: where each keeps its settings, and why one would show no plug-in."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.setup.machine import runs

if TYPE_CHECKING:
    from daemon.setup.places import Places

VERSIONS = ("3.0", "3.2", "3.4")


def folders(places: Places) -> list[Path]:
    """Find the configuration folders of every GIMP 3 of this user, also one that never ran yet."""
    roots = places.gimp_roots()
    found = [folder for root in roots for folder in sorted(root.glob("3.*")) if folder.is_dir()]
    if places.variables.get("GIMP3_DIRECTORY"):
        found.append(Path(places.variables["GIMP3_DIRECTORY"]))
    path = places.variables.get("PATH")
    found += [roots[0] / v for v in VERSIONS if shutil.which(f"gimp-{v}", path=path)]
    return list(dict.fromkeys(found))


def why_none(places: Places) -> str:
    """Say why no GIMP 3 was found, as far as one can see."""
    if any((root / "2.10").is_dir() for root in places.gimp_roots()):
        return "only GIMP 2.10 was found, and GIMP 3 is needed"
    if (places.home / "snap" / "gimp").is_dir():
        return "GIMP from Snap can use no plug-in of this kind: take Flathub's or the system's"
    return "no GIMP 3 was found: start it once, it then makes its folder"


def looks_into_its_folder(gimp: Path) -> bool:
    """Whether this GIMP looks into its own plug-ins folder: its preferences can leave it out."""
    try:
        text = (gimp / "gimprc").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    set_to = re.findall(r'^\s*\(plug-in-path\s+"([^"]*)"', text, re.MULTILINE)
    own = ("${gimp_dir}", str(gimp))
    return not set_to or any(word in set_to[-1] for word in own)


def has_python(places: Places) -> bool:
    """Whether the system's GIMP can run Python plug-ins; other packages bring their own Python."""
    path = places.variables.get("PATH")
    names = ("gimp", *(f"gimp-{version}" for version in VERSIONS))
    if not places.system.startswith("linux") or not any(shutil.which(n, path=path) for n in names):
        return True
    code = "import gi; gi.require_version('Gimp', '3.0')"
    return any(runs(name, code) for name in ("/usr/bin/python3", "/usr/local/bin/python3"))
