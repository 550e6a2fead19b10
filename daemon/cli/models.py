"""`defocus models`: the network weights, where they come from, and which are used."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.cli import argtypes

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="shipped, own and optional models, their licences")
    listing.add_argument("--json", action="store_true", help="for scripts")
    actions.add_parser("verify", help="check shipped and own weights against their hashes")
    use = actions.add_parser("use", help="use a model by default, here, in the daemon and in GIMP")
    use.add_argument("name", type=argtypes.model, help="`portrait` and `hair` are the shipped ones")
    add = actions.add_parser("add", help="take a weights file of `defocus train` among your own")
    add.add_argument("file", metavar="FILE", type=argtypes.model)
    add.add_argument("--name", type=argtypes.plain_name, help="default: the file's")
    onnx = actions.add_parser("onnx", help="write a network as an ONNX file with a model card")
    onnx.add_argument(
        "name", metavar="NAME|FILE", type=argtypes.model, help="shipped or own weights, or a file"
    )
    onnx.add_argument(
        "--task",
        choices=("portrait", "depth"),
        default="portrait",
        help="of a file of the U-Net family that does not say so (portrait)",
    )
    onnx.add_argument("--out", type=argtypes.target, metavar="FILE", help="default: NAME.onnx here")
    remove = actions.add_parser("remove", help="delete your own weights, or a fetched model")
    remove.add_argument("name")
    fetch = actions.add_parser("fetch", help="download an optional model (extra [hub])")
    fetch.add_argument("name", help="see defocus models list")
    fetch.add_argument("--yes", action="store_true", help="do not ask after showing the licence")


def run(args: argparse.Namespace) -> int:
    """Carry out one action."""
    actions = {
        "list": _list,
        "verify": _verify,
        "use": _use,
        "add": _add,
        "onnx": _onnx,
        "remove": _remove,
        "fetch": _fetch,
    }
    return actions[args.action](args)


def _list(args: argparse.Namespace) -> int:
    from bokeh_core.networks import hub, own, records, registry, shipped  # noqa: PLC0415

    given, mine = shipped.index(), own.index()
    used = {task: registry.chosen(task) for task in own.SHIPPED}
    if args.json:
        rows = {
            "embedded": [records.to_json(record) for record in given.values()],
            "own": [records.to_json(record) for record in mine.values()],
            "optional": [vars(model) for model in hub.MODELS.values()],
            "used": used,
        }
        print(json.dumps(rows, indent=2))
        return 0
    for state, known in (("shipped", given), ("own", mine)):
        for record in known.values():
            tasks = " + ".join(record.tasks)
            _line(record.name, tasks, f"{record.bytes / 1e6:6.1f} MB", record.licence, state)
    for model in hub.MODELS.values():
        state = "fetched" if hub.fetched(model) else "defocus models fetch"
        _line(model.name, model.task, f"{model.bytes / 1e6:6.0f} MB", model.licence, state)
    print("used: " + ", ".join(f"{task} by {name}" for task, name in used.items()))
    return 0


def _line(name: str, tasks: str, size: str, licence: str, state: str) -> None:
    print(f"{name:28} {tasks:18} {size}  {licence}  {state}")


def _verify(_: argparse.Namespace) -> int:
    from bokeh_core.errors import ModelError  # noqa: PLC0415
    from bokeh_core.networks import own, registry, shipped  # noqa: PLC0415

    def sound(name: str, fine: str, wrong: str) -> bool:
        try:
            record = registry.find(name)
            registry.load_tensors(record)
        except ModelError as error:
            print(f"{name}: {wrong}: {error}")
            return False
        print(f"{name}: {fine} (SHA-256 {record.sha256})")
        return True

    checked = [sound(name, "as shipped", "CHANGED or gone") for name in shipped.index()]
    checked += [sound(path.stem, "your own, whole", "damaged") for path in own.files()]
    return 0 if all(checked) else 1


def _use(args: argparse.Namespace) -> int:
    from bokeh_core.networks import registry, weights_file  # noqa: PLC0415

    if args.name.endswith(weights_file.SUFFIX):
        file = shlex.quote(args.name)
        args.parser.error(f"a file gets a name first: defocus models add {file} --name NAME")
    print(f"{args.name} is now used for {' and '.join(registry.use(args.name))}")
    return 0


def _add(args: argparse.Namespace) -> int:
    from bokeh_core.networks import registry  # noqa: PLC0415

    path = Path(args.file)
    record = registry.add(path, args.name or argtypes.plain_name(path.stem.lower()))
    print(f"{record.name}: {record.file}; `defocus models use {record.name}` makes it the default")
    return 0


def _onnx(args: argparse.Namespace) -> int:
    from bokeh_core.networks import (  # noqa: PLC0415
        model_card,
        onnx_export,
        registry,
        weights_file,
    )

    name = args.name
    if name.endswith(weights_file.SUFFIX):
        name = registry.open_file(Path(name), args.task).name
    out = args.out or Path(f"{Path(args.name).stem}.onnx")
    if not out.parent.is_dir():
        args.parser.error(f"{out}: no such folder")
    model_card.place_of(out)  # refused before the work
    record = onnx_export.write(name, out)
    maps = ", ".join(onnx_export.outputs_of(record))
    about = (
        f"Input `photo`: (H, W, 3) uint8, sRGB. Outputs: {maps}, (H, W) float32 in [0, 1] each, as "
        "the network sees them, enlarged to the photo: without closer looks at small people and "
        "without refinement along the photo's edges."
    )
    print(f"{out} gives {maps}; card: {model_card.write(record, out, [about])}")
    return 0


def _remove(args: argparse.Namespace) -> int:
    from bokeh_core.networks import own, registry  # noqa: PLC0415

    used = [task for task, name in own.choices().items() if name == args.name]
    print(f"deleted {registry.remove(args.name)}")
    for task in used:
        print(f"{own.SHIPPED[task]} is used for {task} again")
    return 0


def _fetch(args: argparse.Namespace) -> int:
    from bokeh_core.networks import hub  # noqa: PLC0415
    from daemon.cli.progress_bar import ProgressBar  # noqa: PLC0415

    model = hub.find(args.name)
    print(f"{model.name}: {model.bytes / 1e6:.0f} MB from {model.repository}")
    print(f"licence {model.licence}, SHA-256 {model.sha256}")
    if not args.yes and not _agreed():
        return 1
    with ProgressBar(model.name) as bar:
        path = hub.fetch(model, bar)
    print(path)
    return 0


def _agreed() -> bool:
    try:
        return input("download? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        print("\ndefocus: nobody is here to ask; --yes downloads without asking", file=sys.stderr)
        return False
