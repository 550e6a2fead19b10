"""`defocus render photo.jpg --mask m.png --depth d.png`: blur again from edited maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    from daemon.cli import maps, options  # noqa: PLC0415

    parser.add_argument(
        "sources", nargs=1, type=Path, metavar="PHOTO", help="the picture the maps belong to"
    )
    maps.add(parser, files=True)
    options.add_output(parser)
    options.add_lens(parser)


def run(args: argparse.Namespace) -> int:
    """Render the photo from the maps."""
    from daemon.cli import backend, develop, options  # noqa: PLC0415

    where: backend.Where = "here" if options.open_models(args) else args.where
    return develop.run(args, backend.choose(where, args.device))
