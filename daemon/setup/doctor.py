"""Looks at everything outside the environment, with the standard library alone.

`defocus doctor` (daemon/cli/doctor.py) goes on with what is inside: packages, weights, daemon.
"""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.setup import command_link, gimp, krita, launcher, machine, packages, service
from daemon.setup.ledger import Ledger
from daemon.setup.outside import Outside
from daemon.setup.places import ROOT
from daemon.setup.plugin import Plugin
from daemon.setup.ways import way

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from daemon.setup.environment import Environment
    from daemon.setup.places import Places

AT_MOST = 4
"""Faults of one thing that are told."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes
    ----------
    good
        Whether it is as it should be.
    text
        What it is, or what is wrong with it.
    mend
        What to do when it is broken; empty: an installation mends it.
    """

    good: bool
    text: str
    mend: str = ""

    def lines(self) -> list[str]:
        """Return it for people."""
        lines = [f"{'[ok]  ' if self.good else '[miss]'} {self.text}"]
        return [*lines, f"       {self.mend}"] if self.mend and not self.good else lines


def to_mend() -> str:
    """Return the command that mends what an installation can mend; pip's packages are pip's."""
    return way(ROOT, "mend")


def outside(places: Places, environment: Environment) -> Iterator[Finding]:
    """Look at Python, the environment, the command, the service and every editor."""
    yield Finding(good=True, text=f"Python {platform.python_version()} ({sys.executable})")
    yield environment_finding(environment)
    yield from _owner(places)
    yield from _link(places, environment)
    yield from _rights(places, environment)
    yield from _service(environment)
    found = gimp.folders(places)
    kritas = krita.plugins(places, environment)
    there = ", ".join(map(str, found)) or gimp.why_none(places)
    yield Finding(good=True, text=f"GIMP 3: {there}")
    for folder in found:
        yield from _plugin(Plugin(folder, environment))
        yield from _plug_in_path(folder)
    there = ", ".join(str(each.folder) for each in kritas) or krita.why_none(places)
    yield Finding(good=True, text=f"Krita: {there}")
    for each in kritas:
        yield from _plugin(each)
    if found and not gimp.has_python(places):
        yield Finding(
            good=False,
            text="GIMP's Python: it cannot load GIMP's own bindings",
            mend="Debian, Ubuntu: sudo apt-get install python3-gi gir1.2-gimp-3.0",
        )


def needs_cure(broken: Iterable[Finding]) -> bool:
    """Whether an installation mends any of this: it names no step of its own."""
    return any(not finding.mend for finding in broken)


def environment_finding(environment: Environment) -> Finding:
    """Whether the packages are there and load."""
    fault = packages.fault(environment)
    return Finding(good=not fault, text=f"environment {environment.folder}{fault and ': '}{fault}")


def _owner(places: Places) -> Iterator[Finding]:
    other = Ledger.read(places).other_owner()
    if other is not None:
        yield Finding(
            good=False,
            text=f"the plug-in and the settings belong to the copy in {other}",
            mend=f"To have this one in their place: {way(ROOT, 'install')}",
        )


def _link(places: Places, environment: Environment) -> Iterator[Finding]:
    faults = (
        command_link.command_fault(environment),
        command_link.link_fault(places, environment),
        # where nothing was put outside yet, nothing is missing
        launcher.fault(places, environment) if Ledger.read(places).owner == ROOT else "",
    )
    for fault in filter(None, faults):
        yield Finding(good=False, text=fault)


def _rights(places: Places, environment: Environment) -> Iterator[Finding]:
    problem = machine.others(Outside(places, environment).changed())
    if problem is not None:
        yield Finding(good=False, text=str(problem), mend=problem.step)


def _service(environment: Environment) -> Iterator[Finding]:
    fault = service.fault(environment.python)
    if fault:
        yield Finding(good=False, text=fault)


def _plugin(plugin: Plugin) -> Iterator[Finding]:
    faults = plugin.faults()
    text = f"plug-in in {plugin.folder}: {'; '.join(faults[:AT_MOST]) or 'up to date'}"
    yield Finding(good=not faults, text=text)


def _plug_in_path(folder: Path) -> Iterator[Finding]:
    if not gimp.looks_into_its_folder(folder):
        yield Finding(
            good=False,
            text=f"this GIMP does not look into {folder / 'plug-ins'}",
            mend="in GIMP: Edit > Preferences > Folders > Plug-ins, add that folder",
        )
