"""`defocus daemon settings`: what holds for every daemon of this user, however it is started."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from daemon.cli import argtypes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE_NAME = "daemon.json"


class SettingsProblem(Exception):
    """The file cannot be used; the text is one line for the user."""


@dataclass(frozen=True)
class Kept:
    """The content of `daemon.json`; a fact that is left out there has its default.

    Attributes
    ----------
    device
        What computes: a name as for `--device`, or `auto`.
    cache_mb
        Most MiB of what is remembered of photos.
    idle
        Seconds without work after which networks and device memory are freed; inf: never.
    """

    device: str = "auto"
    cache_mb: int = 2048
    idle: float = 900.0


TYPES: dict[str, Callable[[str], Any]] = {
    "device": argtypes.device_name,
    "cache_mb": argtypes.whole(0),
    "idle": argtypes.seconds,
}


def place() -> Path:
    """Return where the file is, or would be."""
    from daemon.wire import discovery  # noqa: PLC0415

    return discovery.config_dir() / FILE_NAME


def read() -> Kept:
    """Read what holds; the defaults where there is no file.

    Raises
    ------
    SettingsProblem
        The file is damaged, or says what cannot be.
    """
    try:
        found = json.loads(place().read_text(encoding="utf-8"))
        strange = set(found) - set(TYPES) if isinstance(found, dict) else {"no object"}
        if strange:
            raise SettingsProblem(f"{place()}: {', '.join(sorted(strange))} is not known")
        return Kept(**{name: TYPES[name](str(value)) for name, value in found.items()})
    except FileNotFoundError:
        return Kept()
    except OSError as fault:  # such as another user's: it would not be made anew either
        raise SettingsProblem(f"{place()}: {fault.strerror}") from None
    except (ValueError, argparse.ArgumentTypeError) as fault:
        raise SettingsProblem(
            f"{place()}: {fault} (`defocus daemon settings --reset` makes it anew)"
        ) from None


def write(kept: Kept) -> None:
    """Put the file in place, in one step; what has its default is left out."""
    from daemon.runtime import private  # noqa: PLC0415

    said = {
        field.name: getattr(kept, field.name)
        for field in fields(Kept)
        if getattr(kept, field.name) != field.default
    }
    private.write(private.folder(place().parent) / FILE_NAME, json.dumps(said).encode())


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument(
        "--device",
        type=argtypes.device_name,
        metavar="NAME",
        help="auto (a GPU if there is one), cpu, cuda, cuda:1, mps or xpu",
    )
    parser.add_argument(
        "--cache-mb", type=TYPES["cache_mb"], metavar="MB", help="memory of the content cache"
    )
    parser.add_argument(
        "--idle", type=TYPES["idle"], metavar="SECONDS", help="unload the worker after so long"
    )
    parser.add_argument("--reset", action="store_true", help="first forget all that was set")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Set what is given, then show what holds."""
    given = {name: getattr(args, name) for name in TYPES if getattr(args, name) is not None}
    try:
        kept = replace(Kept() if args.reset else read(), **given)
        if given or args.reset:
            write(kept)
    except (SettingsProblem, OSError) as fault:
        print(f"defocus: {fault}", file=sys.stderr)
        return 1
    if args.json:
        from daemon.setup import service  # noqa: PLC0415

        print(json.dumps({**asdict(kept), "at_login": service.there(service.service())}))
        return 0
    for name, value in asdict(kept).items():
        print(f"{name:<9} {value:g}" if isinstance(value, float) else f"{name:<9} {value}")
    if given or args.reset:
        print("holds from the daemon's next start: `defocus daemon stop` ends the one that runs")
    return 0
