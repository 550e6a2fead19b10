"""The work of `photo` and `render`: every picture in turn, one report each, errors in one line."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bokeh_core.errors import BokehError, InputError
from bokeh_core.picture import Picture, read, read_map, write
from daemon.cli.options import lens_of
from daemon.cli.order import OUTPUT, Order
from daemon.cli.targets import Target, map_dtype
from daemon.cli.terminal import Bar

if TYPE_CHECKING:
    import argparse

    from daemon.cli.studio import Made, Studio

MapFiles = dict[Literal["matte", "depth"], Path]


@dataclass(frozen=True, eq=False)
class Planned:
    """A picture that was read and whose results have places to go."""

    source: Path
    order: Order
    paths: dict[str, Path]


def run(args: argparse.Namespace, maps: MapFiles, studio: Studio) -> int:
    """Work through the pictures; returns the exit code: 0, or 1 when any of them failed."""
    # ended from outside: leave through the clean-up that removes a file being written
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    taken: dict[Path, Path] = {}
    failed = [source for source in args.sources if not _one(args, source, maps, studio, taken)]
    return int(bool(failed))


def _one(
    args: argparse.Namespace, source: Path, maps: MapFiles, studio: Studio, taken: dict[Path, Path]
) -> bool:
    try:
        planned = plan(args, source, maps, several=len(args.sources) > 1)
        for path in planned.paths.values():
            first = taken.setdefault(path.resolve(), source)
            if first != source:
                raise InputError(f"{path}: is already the result of {first}; use another --out")
        with Bar(source.name, quiet=args.quiet) as progress:
            made = studio.make(planned.order.job(), progress)
            save(planned, made, args.quality)
    except BokehError as error:
        _complain(args, source, error)
        return False
    _report(args, planned, made)
    return True


def plan(
    args: argparse.Namespace, source: Path, maps: MapFiles, *, several: bool = False
) -> Planned:
    """Read a picture and settle everything that can go wrong before the work.

    Raises
    ------
    InputError, OutputError
        The picture, a map, an option or a target cannot be used.
    """
    picture = read(source)
    size = (picture.width, picture.height)
    target = Target.of(source, args.out, args.format, several=several)
    return Planned(
        source=source,
        order=Order(
            picture=picture,
            lens=lens_of(args, *size),
            kinds=args.save,
            maps={name: read_map(path, size) for name, path in maps.items()},
            subject=args.subject,
            map_dtype=map_dtype(picture, args.map_bits),
            matte_model=args.matte_model,
            depth_model=args.depth_model,
        ),
        paths=target.paths(args.save, picture, source, [source, *maps.values()]),
    )


def save(planned: Planned, made: Made, quality: int) -> None:
    """Write every result, each file whole."""
    for kind, path in planned.paths.items():
        codes = made.planes[OUTPUT[kind]]
        if kind == "composite":
            write(path, planned.order.composite(codes), quality=quality)
        else:
            pixels = codes.reshape(*codes.shape[:2], 1)
            write(path, Picture(pixels=pixels, transfer="linear"))


def _report(args: argparse.Namespace, planned: Planned, made: Made) -> None:
    notes = planned.order.picture.notes
    if args.json:
        facts: dict[str, Any] = {
            "input": str(planned.source),
            "outputs": {kind: str(path) for kind, path in planned.paths.items()},
            "size": [planned.order.picture.width, planned.order.picture.height],
            "focus": made.focus,
            "where": made.where,
            "seconds": round(made.seconds, 3),
            "timing": made.timing,
            "notes": list(notes),
        }
        print(json.dumps(facts), flush=True)
        return
    for note in notes:
        print(f"{planned.source}: note: {note}", file=sys.stderr)
    if not args.quiet:
        for path in planned.paths.values():
            print(path, flush=True)


def _complain(args: argparse.Namespace, source: Path, error: BokehError) -> None:
    text = str(error)
    if args.json:
        print(json.dumps({"input": str(source), "error": text}), flush=True)
        return
    about = "" if str(source) in text else f"{source}: "
    print(f"defocus: {about}{text}", file=sys.stderr)
