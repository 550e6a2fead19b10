"""Puts in place what lies outside of this copy: plug-ins, the link on the PATH, the settings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.runtime import private
from daemon.setup import command_link, gimp, krita, launcher, machine, service
from daemon.setup.ledger import Ledger, missing_folders
from daemon.setup.places import ROOT
from daemon.setup.plugin import Plugin

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.setup.environment import Environment
    from daemon.setup.places import Places
    from daemon.setup.steps import Steps


@dataclass(frozen=True)
class Outside:
    """What one copy puts outside of itself.

    Parameters
    ----------
    places
        The user's folders.
    environment
        Whose Python the plug-in and the service start.
    """

    places: Places
    environment: Environment

    def plugins(self) -> list[Plugin]:
        """List the plug-in of every GIMP and every Krita."""
        gimps = [Plugin(folder, self.environment) for folder in gimp.folders(self.places)]
        return [*gimps, *krita.plugins(self.places, self.environment)]

    def check(self) -> None:
        """Stop before anything is done where it could not be put in place.

        Raises
        ------
        SetupProblem
            Somebody else's plug-in has the name, or a folder belongs to another user.
        """
        for plugin in self.plugins():
            plugin.refuse_foreign()
        machine.refuse_others(self.changed())

    def changed(self) -> list[Path]:
        """List what has to be written: folders, and files in folders of other programs."""
        return [
            *(path for plugin in self.plugins() for path in plugin.changed()),
            self.places.config(),
        ]

    def install(self, steps: Steps) -> None:
        """Put everything in place, taking over from another copy."""
        ledger = Ledger.read(self.places)
        other = ledger.other_owner()
        if other is not None:
            steps.say(f"   the plug-in, the settings and the service of the copy in {other}")
            steps.say("   now belong to this one")
        plugins = self.plugins()
        made = missing_folders(
            [plugin.target for plugin in plugins]
            + [folder.path / "file" for folder in self.places.folders()]
        )
        own = {folder.path for folder in self.places.folders()}
        targets = tuple(plugin.target for plugin in plugins)
        kept = tuple(dict.fromkeys([*ledger.made, *(path for path in made if path not in own)]))
        steps.do("note whose all this is", Ledger(ROOT, targets, kept).write, self.places)
        place = self.places.config() / launcher.FILE_NAME
        steps.do(f"note in {place} how the daemon is started", self._note_launcher)
        link = command_link.wanted_link(self.places, self.environment)
        if link is not None:
            steps.do(f"link {link}", command_link.make_link, link, self.environment)
        for plugin in plugins:
            steps.do(f"plug-in into {plugin.target}", plugin.copy)
        if plugins:
            steps.do("tell the daemon where the plug-ins are", announce, self.places, plugins)
        else:
            for why_none in (gimp.why_none, krita.why_none):
                steps.say(f"   {why_none(self.places)}; then run this again for the menu entry")
        if service.fault(self.environment.python):
            steps.do("have the service start this copy", self._renew_service, steps)

    def _note_launcher(self) -> None:
        launcher.write(self.places, self.environment)

    def _renew_service(self, steps: Steps) -> None:
        command = service.run_command(self.environment.python)
        try:
            service.install(service.service(command=command))
        except service.ServiceProblem as problem:
            steps.say(f"   {problem}")


def announce(places: Places, plugins: list[Plugin]) -> None:
    """Tell the daemon where to leave its address for the plug-ins (sandboxes see only those)."""
    private.folder(places.config())
    folders = [str(plugin.target) for plugin in plugins]
    (places.config() / "announce.json").write_text(json.dumps(folders), encoding="utf-8")
