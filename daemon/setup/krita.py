"""The Kritas of this user: where each keeps its resources, and whether it would load the plug-in.

Krita loads a plug-in only when its settings say so: a line in the group `[python]` of `kritarc`.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.setup import plugin

if TYPE_CHECKING:
    from daemon.setup.environment import Environment
    from daemon.setup.places import Places

GROUP = "[python]"
KEY = "enable_" + Path(plugin.KRITA.place).name
RESOURCES = re.compile(r"^ResourceDirectory=(.+)$", re.MULTILINE)
SWITCH = re.compile(rf"^{KEY}=(\w+)[ \t]*\n?", re.MULTILINE)


@dataclass(frozen=True)
class Krita(plugin.Plugin):
    """The plug-in of this copy in one Krita.

    Parameters
    ----------
    settings
        Its `kritarc`.
    """

    kind: plugin.Kind = plugin.KRITA
    settings: Path | None = None

    def copy(self) -> None:
        """Put it in place and have Krita load it; raises as `Plugin.copy`."""
        super().copy()
        if self.settings is not None and not is_enabled(self.settings):
            enable(self.settings)

    def changed(self) -> list[Path]:
        """List what `copy` writes."""
        return [*super().changed(), *([self.settings] if self.settings is not None else [])]

    def is_left(self) -> bool:
        """Whether it, or a line about it in Krita's settings, may be there to be taken away."""
        return super().is_left() or (self.settings is not None and is_named(self.settings))

    def remove(self) -> list[Path]:
        """Take it and its line in the settings away; give what was not ours and stays."""
        if self.settings is not None and not self.is_foreign():
            forget(self.settings)
        return super().remove()

    def faults(self) -> list[str]:
        """Say why the menu entry could be missing."""
        faults = super().faults()
        if self.settings is not None and not is_enabled(self.settings):
            faults.append(f"it is not switched on in {self.settings}")
        return faults


def plugins(places: Places, environment: Environment) -> list[Krita]:
    """List the plug-in of every Krita of this user, also of one that never ran yet."""
    program = shutil.which("krita", path=places.variables.get("PATH", ""))
    found: dict[Path, Krita] = {}
    for number, (resources, settings) in enumerate(places.kritas()):
        named = RESOURCES.search(_text(settings))
        folder = Path(named.group(1).strip()) if named else resources
        if folder.is_dir() or settings.is_file() or (program and number == 0):
            found.setdefault(folder, Krita(folder, environment, settings=settings))
    return list(found.values())


def why_none(places: Places) -> str:
    """Say why no Krita was found, as far as one can see."""
    if (places.home / "snap" / "krita").is_dir():
        return "Krita from Snap keeps its plug-ins out of reach: take Flathub's or the AppImage"
    return "no Krita was found: start it once, it then makes its folder"


def is_enabled(settings: Path) -> bool:
    """Whether Krita's settings have the plug-in loaded."""
    found = SWITCH.search(_text(settings))
    return found is not None and found.group(1) == "true"


def is_named(settings: Path) -> bool:
    """Whether Krita's settings speak of the plug-in, switched on or off."""
    return SWITCH.search(_text(settings)) is not None


def enable(settings: Path) -> None:
    """Have Krita load the plug-in; everything else in its settings stays."""
    text, line = SWITCH.sub("", _text(settings)), f"{KEY}=true\n"
    lines = text.splitlines(keepends=True)
    at = next((number for number, each in enumerate(lines) if each.strip() == GROUP), None)
    if at is None:
        gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        text += f"{gap}{GROUP}\n{line}"
    else:
        lines[at] = GROUP + "\n"
        text = "".join([*lines[: at + 1], line, *lines[at + 1 :]])
    _write(settings, text)


def forget(settings: Path) -> None:
    """Take our line away, and with it a group that has no other."""
    if not is_named(settings):
        return
    rest = SWITCH.sub("", _text(settings))
    rest = re.sub(r"\n*^\[python\][ \t]*\n(?=\s*(\[|\Z))", "\n", rest, flags=re.MULTILINE)
    if rest.strip():
        _write(settings, rest)
    else:
        settings.unlink()


def _text(settings: Path) -> str:
    try:
        return settings.read_text(encoding="utf-8")
    except OSError:
        return ""


def _write(settings: Path, text: str) -> None:
    """Write it in one step: Krita may be reading it."""
    settings.parent.mkdir(parents=True, exist_ok=True)
    fresh = settings.with_name(f".{settings.name}-new")
    fresh.write_text(text, encoding="utf-8")
    if settings.exists():
        shutil.copymode(settings, fresh)
    fresh.replace(settings.resolve())
