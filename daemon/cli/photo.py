"""`defocus photo.jpg`: blur the background of one or more photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    from daemon.cli import maps, options  # noqa: PLC0415

    parser.add_argument(
        "sources", nargs="+", type=Path, metavar="PHOTO", help="JPEG, PNG, TIFF, HEIC, AVIF ..."
    )
    maps.add(parser, files=False)
    options.add_output(parser)
    options.add_lens(parser)


def run(args: argparse.Namespace) -> int:
    """Blur the photos."""
    from daemon.cli import backend, develop, options  # noqa: PLC0415

    where: backend.Where = "here" if options.open_models(args) else args.where
    return develop.run(args, backend.choose(where, args.device))
