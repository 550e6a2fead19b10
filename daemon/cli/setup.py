"""`defocus setup`: what lies outside the environment, after `pip`, `pipx` or `uv` made that."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from daemon.setup import gimp, krita, machine
from daemon.setup.environment import running
from daemon.setup.outside import Outside
from daemon.setup.places import ROOT, Places
from daemon.setup.problems import SetupProblem
from daemon.setup.removal import Removal
from daemon.setup.steps import Steps

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verbs and their options."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", title="verbs")
    for name, text in (
        ("gimp", "put the plug-ins into every GIMP 3 and Krita of yours; fails without a GIMP 3"),
        ("krita", "the same; fails without a Krita"),
        ("remove", "take away plug-ins, settings, service and logs; then: pip uninstall defocus"),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("--dry-run", action="store_true", help="say what would be done")


def run(args: argparse.Namespace) -> int:
    """Do what the verb says; 1 when something hinders."""
    steps = Steps(dry=args.dry_run)
    places, environment = Places(), running()
    if args.verb == "remove":
        removal = Removal(steps, places, environment)
        removal.outside()
        removal.say_what_stays()
        return int(removal.failed)
    outside = Outside(places, environment)
    try:
        machine.refuse_sudo(ROOT, places.home)
        outside.check()
        outside.install(steps)
    except SetupProblem as problem:
        print(f"defocus: {problem} {problem.step}", file=sys.stderr)
        return 1
    editor = gimp if args.verb == "gimp" else krita
    if gimp.folders(places) if editor is gimp else krita.plugins(places, environment):
        return 0
    if outside.plugins():  # else it has been said
        steps.say(f"   {editor.why_none(places)}")
    return 1
