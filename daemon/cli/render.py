"""`defocus render photo.jpg --mask m.png --depth d.png`: blur again from edited maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from daemon.cli.batch import MapFiles


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    from daemon.cli import options  # noqa: PLC0415

    parser.add_argument(
        "sources", nargs=1, type=Path, metavar="PHOTO", help="the picture the maps belong to"
    )
    maps = parser.add_argument_group(
        "maps", "of the picture's size; one left out is estimated anew"
    )
    maps.add_argument("--mask", type=Path, metavar="FILE", help="grey, white = subject")
    maps.add_argument("--depth", type=Path, metavar="FILE", help="grey, white = near")
    options.add_output(parser)
    options.add_lens(parser)


def run(args: argparse.Namespace) -> int:
    """Render the photo from the maps."""
    from daemon.cli import batch, studio  # noqa: PLC0415

    maps: MapFiles = {}
    if args.mask is not None:
        maps["matte"] = args.mask
    if args.depth is not None:
        maps["depth"] = args.depth
    return batch.run(args, maps, studio.choose(args.where, args.device))
