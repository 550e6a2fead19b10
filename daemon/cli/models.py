"""`defocus models list|fetch|verify`: the network weights and where they come from."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="embedded and optional models with their licences")
    listing.add_argument("--json", action="store_true", help="for scripts")
    actions.add_parser("verify", help="check the embedded weights against their recorded hashes")
    fetch = actions.add_parser("fetch", help="download an optional model (extra [hub])")
    fetch.add_argument("name", help="see defocus models list")
    fetch.add_argument("--yes", action="store_true", help="do not ask after showing the licence")


def run(args: argparse.Namespace) -> int:
    """Carry out one action."""
    actions = {"list": _list, "verify": _verify, "fetch": _fetch}
    return actions[args.action](args)


def _list(args: argparse.Namespace) -> int:
    from dataclasses import asdict  # noqa: PLC0415

    from bokeh_core.networks import hub, registry  # noqa: PLC0415

    embedded, optional = registry.records().values(), hub.MODELS.values()
    if args.json:
        rows = {
            "embedded": [asdict(r) for r in embedded],
            "optional": [asdict(r) for r in optional],
        }
        print(json.dumps(rows, indent=2))
        return 0
    for record in embedded:
        tasks = " + ".join(record.tasks)
        print(
            f"{record.name:28} {tasks:18} {record.bytes / 1e6:6.1f} MB  {record.licence}  embedded"
        )
    for model in optional:
        state = "fetched" if hub.fetched(model) else "defocus models fetch"
        print(
            f"{model.name:28} {model.task:18} {model.bytes / 1e6:6.0f} MB  {model.licence}  {state}"
        )
    return 0


def _verify(_: argparse.Namespace) -> int:
    from bokeh_core.errors import ModelError  # noqa: PLC0415
    from bokeh_core.networks import registry  # noqa: PLC0415

    def sound(record: registry.ModelRecord) -> bool:
        try:
            registry.load_tensors(record)
        except ModelError as error:
            print(f"{record.name}: {error}")
            return False
        print(f"{record.name}: {record.file} is as recorded (SHA-256 {record.sha256})")
        return True

    checked = [sound(record) for record in registry.records().values()]
    return 0 if all(checked) else 1


def _fetch(args: argparse.Namespace) -> int:
    from bokeh_core.networks import hub  # noqa: PLC0415
    from daemon.cli.terminal import Bar  # noqa: PLC0415

    model = hub.find(args.name)
    print(f"{model.name}: {model.bytes / 1e6:.0f} MB from {model.repository}")
    print(f"licence {model.licence}, SHA-256 {model.sha256}")
    if not args.yes and not _agreed():
        return 1
    with Bar(model.name) as bar:
        path = hub.fetch(model, bar)
    print(path)
    return 0


def _agreed() -> bool:
    try:
        return input("download? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        print("\ndefocus: nobody is here to ask; --yes downloads without asking", file=sys.stderr)
        return False
