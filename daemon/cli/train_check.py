"""`defocus train check DIR`: what is wrong with labelled pictures, before a training meets it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from daemon.cli import argtypes

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.epilog = "Exit code 1 when anything is wrong."
    parser.add_argument("data", type=Path, metavar="DIR", help="labelled pictures, or NYU's .mat")
    argtypes.add_folders(parser)
    argtypes.add_split(parser)


def run(args: argparse.Namespace) -> int:
    """Print a table of the folders and every fault; 1 when there is one."""
    from bokeh_core.training import data_check  # noqa: PLC0415
    from daemon.cli.progress_bar import ProgressBar  # noqa: PLC0415

    with ProgressBar("check") as bar:
        report = data_check.check(args.data, args.folders, lambda part: bar("check", part))
    print(data_check.as_text(report, args.split or "hash"))
    return 1 if report.faults else 0
