"""What an option's word may be: types for argparse that name what is allowed."""

from __future__ import annotations

import argparse
import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_OTHER_WEIGHTS = {".onnx", ".pt", ".pth", ".ckpt"}
_DEVICE = re.compile(r"auto|cpu|mps|(cuda|xpu)(:\d+)?")


class Parser(argparse.ArgumentParser):
    """Words for people what `type=float`, `int` and `Path` refuse; argparse names the types."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.register("type", float, number)
        self.register("type", int, whole_number)
        self.register("type", Path, path)


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


def number(text: str) -> float:
    """Read a number."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number, such as 1.8") from None


def whole_number(text: str) -> int:
    """Read a whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def path(text: str) -> Path:
    """Read the name of a file or folder; an empty word, as of an unset variable, is none."""
    if not text:
        raise argparse.ArgumentTypeError("the name is empty")
    return Path(text)


def place(text: str) -> str:
    """Read where results go, with the slash that may end a folder's name."""
    if text == "-":
        raise argparse.ArgumentTypeError(
            f"results go into files, not to the standard output (.{os.sep}- is a file of that name)"
        )
    path(text)
    return text


def target(text: str) -> Path:
    """Read where results go."""
    return Path(place(text))


def seconds(text: str) -> float:
    """Read a time; `inf` is for ever."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not value >= 0:  # also refuses nan
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0 or more")
    return value


def gigabytes(text: str) -> int:
    """Read an amount of memory in GB; gives bytes."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.1 <= value <= 1e6:  # also refuses nan
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of GB from 0.1")
    return round(value * 1e9)


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


def weights(text: str) -> tuple[tuple[str, int], ...]:
    """Read whole numbers given to names, `a=2,b=3`."""
    pairs = [name.partition("=") for name in names(text)]
    if not pairs or not all(name and number.isdecimal() for name, _, number in pairs):
        raise argparse.ArgumentTypeError(f"{text!r} is not like pfcn=2,ccp=3")
    return tuple((name, int(number)) for name, _, number in pairs)


def sizes(text: str) -> tuple[int, ...]:
    """Read one size or several that follow each other, `320` or `256,320,384`."""
    found = text.split(",")
    if not all(size.isdecimal() for size in found):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 320 or 256,320,384")
    return tuple(map(int, found))


def plain_name(text: str) -> str:
    """Read the name of a file to be written; no path."""
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a name of small letters, digits, dots, dashes and underscores"
        )
    return text


def model(text: str) -> str:
    """Read the name of a model, or the path of a weights file; another path is refused."""
    path = Path(text)
    by_path = os.sep in text or path.suffix in _OTHER_WEIGHTS or not _NAME.fullmatch(text)
    if path.suffix == ".safetensors" or not (by_path and path.exists()):
        return text
    if path.is_dir():
        inside = path / "weights.safetensors"
        hint = f"; its weights are {inside}" if inside.is_file() else ""
        raise argparse.ArgumentTypeError(f"{text} is a folder, not a weights file{hint}")
    raise argparse.ArgumentTypeError(
        f"{text} is no weights file as `defocus train` leaves them: they end in .safetensors"
    )


def add_folders(parser: argparse.ArgumentParser) -> None:
    """Add `--folders`, a tuple of names."""
    parser.add_argument(
        "--folders", type=names, default=(), metavar="A,B", help="only these subfolders"
    )


def add_split(parser: argparse._ActionsContainer) -> None:
    """Add `--split`; None when it was not given."""
    parser.add_argument(
        "--split",
        choices=("hash", "published"),
        help="what decides whether a picture is learnt: its name (hash), or the lists that came "
        "with the data",
    )


def add_device(
    parser: argparse._ActionsContainer,
    *,
    text: str = "cpu, cuda, cuda:1, mps or xpu (default: a CUDA GPU if there is one, else the CPU)",
) -> None:
    """Add `--device`, checked by `device`."""
    parser.add_argument("--device", type=device, metavar="NAME", help=text)


def device(text: str) -> str | None:
    """Read the name of a device, without asking torch whether this machine has it; None: auto."""
    return None if device_name(text) == "auto" else text


def device_name(text: str) -> str:
    """Read the name of a device, or `auto`."""
    if not _DEVICE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not auto, cpu, cuda, cuda:1, mps or xpu")
    return text


def _range(low: int, high: int | None) -> str:
    return f"from {low}" if high is None else f"from {low} to {high}"
