"""`defocus photo.jpg`: blur the background of one or more photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    from daemon.cli import options  # noqa: PLC0415

    parser.add_argument(
        "sources", nargs="+", type=Path, metavar="PHOTO", help="JPEG, PNG, TIFF, WebP"
    )
    options.add_output(parser)
    options.add_lens(parser)


def run(args: argparse.Namespace) -> int:
    """Blur the photos."""
    from daemon.cli import batch, studio  # noqa: PLC0415

    return batch.run(args, {}, studio.choose(args.where, args.device))
