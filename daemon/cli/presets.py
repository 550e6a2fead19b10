"""`defocus presets`: the looks that `--preset` takes, ready-made and the user's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bokeh_core.errors import InputError
from bokeh_core.presets import LOOKS, PAPER_LABELS
from daemon.cli.error_text import printable
from daemon.light import own_presets
from daemon.light.errors import PluginError

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="what --preset takes, and the file of your own")
    listing.add_argument("--json", action="store_true", help="for scripts")
    remove = actions.add_parser("remove", help="delete a preset of your own")
    remove.add_argument("name")


def run(args: argparse.Namespace) -> int:
    """Carry out one action."""
    try:
        return _list(as_json=args.json) if args.action == "list" else _remove(args.name)
    except PluginError as error:
        raise InputError(str(error)) from None


def _list(*, as_json: bool) -> int:
    ready = {name: look.label for name, look in LOOKS.items()} | PAPER_LABELS
    own, file = own_presets.load(), own_presets.path()
    if as_json:
        print(json.dumps({"ready": ready, "own": own, "file": str(file)}, indent=2))
        return 0
    for name, label in ready.items():
        print(f"{name:28} {label}")
    for name in own:
        print(f"{printable(name):28} your own")
    print(f"your own are in {printable(str(file))}")
    return 0


def _remove(name: str) -> int:
    own_presets.remove(name)
    print(f"removed {printable(name)}")
    return 0
