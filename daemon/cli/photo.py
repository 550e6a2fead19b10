"""`defocus photo.jpg`: blur the background of one or more photos."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    from daemon.cli import options  # noqa: PLC0415

    parser.add_argument(
        "sources", nargs="+", type=Path, metavar="PHOTO", help="JPEG, PNG, TIFF, WebP"
    )
    for option in ("--mask", "--depth"):
        parser.add_argument(option, type=_of_render, help=argparse.SUPPRESS)
    options.add_output(parser)
    options.add_lens(parser)


def run(args: argparse.Namespace) -> int:
    """Blur the photos."""
    from daemon.cli import batch, studio  # noqa: PLC0415

    return batch.run(args, {}, studio.choose(args.where, args.device))


def _of_render(_: str) -> NoReturn:
    raise argparse.ArgumentTypeError("maps are for `defocus render PHOTO --mask M --depth D`")
