"""The user's own presets: looks saved by name in one file, shared by the command line and editors.

The file is `presets.json` in the folder of the user's settings; `docs/command-line.md` describes
it. What is in it and cannot be read stays there: nothing is written over it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.light.errors import PluginError
from daemon.light.facts import LOOK_LABELS, PAPER_LABELS
from daemon.light.parameters import PRESETS, look_from, look_of
from daemon.light.words import tr

if TYPE_CHECKING:
    from daemon.light.parameters import Parameters

FILE_NAME = "presets.json"
FORMAT = 1
"""The newest form of the file that is understood."""
LONGEST = 60
"""Letters of a name, so that a list stays readable."""


def path() -> Path:
    """Return where the file is, or will be."""
    return _folder() / FILE_NAME


def load() -> dict[str, dict[str, Any]]:
    """Return name -> the settings that the preset brings, by name; none without a file.

    Raises
    ------
    PluginError
        The file cannot be read, or says something that is no preset.
    """
    found = _read()
    return {name: _look(name, found["presets"][name]) for name in sorted(found["presets"])}


def save(name: str, parameters: Parameters) -> str:
    """Keep the look of these settings under a name, in place of an own preset so called.

    Focus, people and grain are no part of it, as in the ready-made ones.

    Returns
    -------
    str
        The name, without blanks around it.

    Raises
    ------
    PluginError
        The name does not do, or the file cannot be read or written.
    """
    name = checked(name)
    found = _read()
    found["presets"][name] = look_of(parameters)
    _write(found)
    return name


def remove(name: str) -> None:
    """Delete an own preset.

    Raises
    ------
    PluginError
        There is none of that name, or the file cannot be read or written.
    """
    found = _read()
    if name not in found["presets"]:
        raise PluginError(tr("There is no preset of your own called {name}.").format(name=name))
    del found["presets"][name]
    _write(found)


def checked(name: str) -> str:
    """Return a name without blanks around it.

    Raises
    ------
    PluginError
        It is empty, too long, not to be printed, or that of a ready-made look.
    """
    name = name.strip()
    if not name or len(name) > LONGEST or not name.isprintable():
        raise PluginError(tr("A preset needs a name of 1 to {n} letters.").format(n=LONGEST))
    labels = [*LOOK_LABELS.values(), *PAPER_LABELS.values()]
    taken = {*PRESETS, *PAPER_LABELS, *labels, *map(tr, labels), tr("Custom")}
    if name.casefold() in {each.casefold() for each in taken}:
        raise PluginError(
            tr("{name} is a preset of defocus: choose another name.").format(name=name)
        )
    return name


def _folder() -> Path:
    """Find the folder of the user's settings where the daemon does (platformdirs' rules)."""
    variables = os.environ
    if variables.get("DEFOCUS_CONFIG_DIR"):
        return Path(variables["DEFOCUS_CONFIG_DIR"])
    if sys.platform == "win32":
        local = variables.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "defocus"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "defocus"
    # Flatpak gives each program a folder of its own; the presets are to be the same in all
    name = "HOST_XDG_CONFIG_HOME" if "FLATPAK_ID" in variables else "XDG_CONFIG_HOME"
    config = variables.get(name, "").strip()
    return (Path(config) if config else Path.home() / ".config") / "defocus"


def _read() -> dict[str, Any]:
    """Read the file as it is, with all that later versions may have put there."""
    try:
        found = json.loads(path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"format": FORMAT, "presets": {}}
    except OSError as error:
        raise _unreadable(error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:  # also letters that are not UTF-8
        raise _unreadable(str(error)) from error
    if not isinstance(found, dict) or not isinstance(found.get("presets"), dict):
        raise _unreadable('no "presets" in it')
    if found.get("format") != FORMAT:
        raise _unreadable(f"its format is {found.get('format')!r}, not {FORMAT}")
    for name, look in found["presets"].items():
        _look(name, look)
    return found


def _look(name: str, record: Any) -> dict[str, Any]:
    try:
        return look_from(record)
    except ValueError as error:
        raise _unreadable(f"{name}: {error}") from None


def _unreadable(what: str) -> PluginError:
    return PluginError(
        tr(
            "Your own presets cannot be used: {file} is damaged ({what}). It is left as it is; "
            "mend it or move it away."
        ).format(file=path(), what=what)
    )


def _write(found: dict[str, Any]) -> None:
    """Replace the file by a whole one; where it is a link, what the link leads to."""
    target = path().resolve()
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f"{FILE_NAME}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(beside).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(beside).unlink()
            raise
    except OSError as error:
        what = error.strerror or error
        raise PluginError(
            tr("Your presets could not be saved in {file} ({what}).").format(file=target, what=what)
        ) from error
