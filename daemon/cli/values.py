"""What an option's word may be: types for argparse that name what is allowed."""

from __future__ import annotations

import argparse
import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_DEVICE = re.compile(r"auto|cpu|mps|(cuda|xpu)(:\d+)?")


def whole(low: int, high: int | None = None) -> Callable[[str], int]:
    """Make the type of whole numbers from `low` to `high`."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {_range(low, high)}")
        return value

    return read


def seconds(text: str) -> float:
    """Read a time; `inf` is for ever."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not value >= 0:  # also refuses nan
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0 or more")
    return value


def degrees(text: str) -> float:
    """Read an angle of at most a full turn either way."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= 360:  # also refuses nan
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of degrees from -360 to 360")
    return value


def names(text: str) -> tuple[str, ...]:
    """Read names with commas between them."""
    return tuple(name for name in text.split(",") if name)


def plain_name(text: str) -> str:
    """Read the name of a file to be written; no path."""
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a name of small letters, digits, dots, dashes and underscores"
        )
    return text


def add_folders(parser: argparse.ArgumentParser) -> None:
    """Add `--folders`, a tuple of names."""
    parser.add_argument(
        "--folders", type=names, default=(), metavar="A,B", help="only these subfolders"
    )


def add_device(
    parser: argparse._ActionsContainer,
    *,
    default: str | None = "auto",
    text: str = "cpu, cuda, cuda:1, mps or xpu (default: a CUDA GPU if there is one, else the CPU)",
) -> None:
    """Add `--device`, checked by `device`."""
    parser.add_argument("--device", type=device, default=default, metavar="NAME", help=text)


def device(text: str) -> str:
    """Read the name of a device, without asking torch whether this machine has it."""
    if not _DEVICE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not auto, cpu, cuda, cuda:1, mps or xpu")
    return text


def _range(low: int, high: int | None) -> str:
    return f"from {low}" if high is None else f"from {low} to {high}"
