"""`defocus dataset SOURCE... --out DIR`: pictures with mask, depth and many kinds of bokeh."""

from __future__ import annotations

import argparse
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from daemon.cli import argtypes, batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daemon.batch.runner import Item, Order
    from daemon.batch.settings import Rule
    from daemon.cli.dataset_files import Origin
    from daemon.cli.dataset_work import Variation

MADE_UP_LICENCE = "CC0-1.0"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    batch.add_sources(parser)
    parser.add_argument(
        "--scenes",
        type=argtypes.whole(0, 100_000),
        default=0,
        metavar="N",
        help="also N made-up scenes, whose mask, depth and bokeh are exact",
    )
    batch.add_journalled(parser)
    about = parser.add_argument_group("about the photos (asked for, and recorded)")
    about.add_argument("--licence", metavar="TEXT", help="of all photos")
    about.add_argument("--origin", metavar="TEXT", help="where all photos are from")
    about.add_argument(
        "--about", type=Path, metavar="FILE", help="TOML: licence and origin by folder or name"
    )
    made = parser.add_argument_group("what is made")
    made.add_argument(
        "--f-numbers", type=_numbers, default=(1.4, 2.8, 5.6), metavar="N,N", help="1.4,2.8,5.6"
    )
    made.add_argument(
        "--focus",
        type=argtypes.names,
        default=("subject", "0.1"),
        metavar="WHERE,WHERE",
        help="subject, depths from 0 to 1, points X:Y (default subject,0.1)",
    )
    made.add_argument(
        "--shapes",
        type=argtypes.names,
        default=("round", "hexagon"),
        metavar="NAME,NAME",
        help="round, hexagon, triangle, ring, cat-eye, anamorphic (default round,hexagon);"
        " scenes are always round",
    )
    made.add_argument("--linear", action="store_true", help="32-bit float TIFF in linear light")
    made.add_argument(
        "--long-side",
        type=argtypes.whole(64, 8192),
        default=1024,
        metavar="PX",
        help="photos are reduced to this, scenes have this width (1024)",
    )
    made.add_argument(
        "--test-share",
        type=_share,
        default=0.1,
        metavar="SHARE",
        help="of pictures in the test part, chosen by their content (0.1)",
    )
    batch.add_crew(parser)


def run(args: argparse.Namespace) -> int:
    """Make the data set; 1 when a picture failed."""
    from bokeh_core.errors import InputError  # noqa: PLC0415
    from daemon.batch import settings, summary  # noqa: PLC0415
    from daemon.batch.runner import Batch  # noqa: PLC0415
    from daemon.cli import dataset_files, dataset_work  # noqa: PLC0415

    try:
        items = _items(args)
        origins = _origins(args, items, settings.load(args.about) if args.about else ())
        varied = dataset_work.variations(args.f_numbers, args.focus, args.shapes)
        if args.summary:
            summary.check(args.summary)
    except InputError as error:
        args.parser.error(str(error))
    rule = (
        f"test where the first four digits of the content's SHA-256 are below"
        f" {args.test_share:g} of all"
    )
    job = Batch(items, _orders(args, varied), retry=args.retry, verify=args.verify)
    return batch.work_through(
        args,
        job,
        lambda journal: dataset_files.write(
            args.out,
            [journal.entries[item.key] for item in items if item.key in journal.entries],
            origins,
            rule,
        ),
    )


def _items(args: argparse.Namespace) -> list[Item]:
    from daemon.cli.dataset_work import SceneItem  # noqa: PLC0415

    found: list[Item] = []
    if args.sources or args.listed or not args.scenes:
        found += batch.photos(args)
    found += [SceneItem(number, 3) for number in range(args.scenes)]
    return found


def _origins(
    args: argparse.Namespace, items: Sequence[Item], rules: Sequence[Rule]
) -> dict[str, Origin]:
    """Find licence and origin of every picture, or refuse to begin."""
    from bokeh_core.errors import InputError  # noqa: PLC0415
    from daemon.cli.dataset_files import Origin  # noqa: PLC0415
    from daemon.runtime.version import VERSION  # noqa: PLC0415

    parser = _AboutParser()
    found: dict[str, Origin] = {}
    for item in items:
        if item.path is None:
            found[item.key] = Origin(MADE_UP_LICENCE, f"made up by defocus {VERSION}")
            continue
        told = argparse.Namespace(licence=args.licence, origin=args.origin)
        for rule in rules:
            if rule.matches(item.key):
                parser.prog = rule.where
                parser.parse_args(rule.words, told)
        for name in ("licence", "origin"):
            if not getattr(told, name):
                raise InputError(
                    f"{item.key}: its {name} is not known; give --{name} TEXT, or a rule for it in"
                    " --about FILE"
                )
        found[item.key] = Origin(told.licence, told.origin)
    return found


class _AboutParser(argparse.ArgumentParser):
    """Reads the rules of `--about`."""

    def __init__(self) -> None:
        super().__init__(add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS)
        self.add_argument("--licence")
        self.add_argument("--origin")

    def error(self, message: str) -> None:  # type: ignore[override]
        from bokeh_core.errors import InputError  # noqa: PLC0415

        raise InputError(f"{self.prog}: {message}")


def _orders(args: argparse.Namespace, varied: tuple[Variation, ...]) -> Callable[[Item], Order]:
    from daemon.batch.runner import Order  # noqa: PLC0415
    from daemon.cli import dataset_work as work  # noqa: PLC0415

    round_ones = tuple(dict.fromkeys(work.Variation(v.f_number, v.focus, "round") for v in varied))

    def order(item: Item) -> Order:
        digest = item.digest()
        name = f"{PurePosixPath(item.key).stem}-{digest[:10]}"
        files = work.Files(name, args.linear)
        task: work.FromPhoto | work.FromScene
        if isinstance(item, work.SceneItem):
            kind, seed = item.number % item.kinds, item.number // item.kinds
            task = work.FromScene(files, round_ones, args.long_side, kind, seed)
        else:
            task = work.FromPhoto(files, varied, args.long_side, args.device)
        part = "test" if int(digest[:4], 16) < args.test_share * 0x10000 else "train"
        settings = work.settings_of(task) | {"split": part}
        return Order(task, settings, PurePosixPath(part))

    return order


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:  # also refuses nan
        raise argparse.ArgumentTypeError(f"{text!r} is not a share from 0 to 1")
    return value


def _numbers(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(word) for word in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0.5 <= number <= 64 for number in found):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of f-numbers from 0.5 to 64")
    return found
