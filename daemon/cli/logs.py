"""`defocus daemon logs`: the last lines of a log, and what follows."""

from __future__ import annotations

import collections
import os
import sys
import time
from typing import TYPE_CHECKING

from daemon.cli import argtypes

if TYPE_CHECKING:
    import argparse
    from pathlib import Path
    from typing import TextIO

LOOK_EVERY_S = 0.3


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "-n", "--lines", type=argtypes.whole(0), default=50, metavar="N", help="how many (50)"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on as lines are written")
    parser.add_argument("--worker", action="store_true", help="the worker's log instead")


def run(args: argparse.Namespace) -> int:
    """Print the lines; with --follow until interrupted."""
    from daemon.runtime import log  # noqa: PLC0415

    path = log.log_dir() / (log.WORKER_LOG_NAME if args.worker else log.LOG_NAME)
    try:
        file = _open(path)
    except FileNotFoundError:
        print(f"defocus: no log yet: {path} is there after the first start", file=sys.stderr)
        return 1
    with file:
        sys.stdout.writelines(collections.deque(file, maxlen=args.lines))
        if args.follow:
            _follow(path, file)
    while args.follow:
        with _open(path) as file:
            _follow(path, file)
    return 0


def _follow(path: Path, file: TextIO) -> None:
    """Print what is written, until the log begins anew: in another file, or from its start."""
    begun_anew = False
    while not begun_anew:
        begun_anew = _begun_anew(path, file)  # looked at first: the old file's rest is read below
        sys.stdout.writelines(file.readlines())
        sys.stdout.flush()
        if not begun_anew:
            time.sleep(LOOK_EVERY_S)


def _begun_anew(path: Path, file: TextIO) -> bool:
    try:
        now = path.stat()
    except OSError:
        return False  # between the end of the old one and the begin of the new one
    old = os.fstat(file.fileno())
    return (now.st_dev, now.st_ino) != (old.st_dev, old.st_ino) or now.st_size < file.tell()


def _open(path: Path) -> TextIO:
    return path.open(encoding="utf-8", errors="replace")
