"""The work of `photo` and `render`: every picture in turn, one report each, errors in one line."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bokeh_core.errors import InputError
from bokeh_core.picture import Picture, read, read_map, write
from daemon.cli import options
from daemon.cli.order import OUTPUT, Order
from daemon.cli.targets import Target, identities, map_dtype
from daemon.cli.terminal import Bar
from daemon.cli.wording import words

if TYPE_CHECKING:
    import argparse
    from collections.abc import Hashable

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
    _refuse_wrong_use(args)
    # ended from outside: leave through the clean-up that removes a file being written
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    kernel = [] if args.kernel is None else [args.kernel]
    run = _Run(args, maps, studio, identities([*args.sources, *maps.values(), *kernel]))
    failed = [source for source in args.sources if not _one(run, source)]
    return int(bool(failed))


@dataclass(frozen=True, eq=False)
class _Run:
    """What all pictures share; neither inputs nor results of this run are ever overwritten."""

    args: argparse.Namespace
    maps: MapFiles
    studio: Studio
    inputs: frozenset[Hashable]
    taken: dict[Path, Path] = field(default_factory=dict)

    def claim(self, planned: Planned) -> None:
        """Take a picture's places, none of which may be another's."""
        for path in planned.paths.values():
            first = self.taken.setdefault(path.resolve(), planned.source)
            if first != planned.source:
                raise InputError(f"{path}: is already the result of {first}; use another --out")


def _refuse_wrong_use(args: argparse.Namespace) -> None:
    """End here, with one message, when the options suit no picture."""
    try:
        options.check(args)
        Target.of(args.sources[0], args.out, args.format, several=len(args.sources) > 1)
    except InputError as error:
        args.parser.error(str(error))


def _one(run: _Run, source: Path) -> bool:
    args = run.args
    try:
        planned = plan(args, source, run.maps, inputs=run.inputs)
        run.claim(planned)
        with Bar(source.name, quiet=args.quiet) as progress:
            made = run.studio.make(planned.order.job(), progress)
            save(planned, made, args.quality)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other pictures follow
        _complain(args, source, words(error))
        return False
    _report(args, planned, made)
    return True


def plan(
    args: argparse.Namespace, source: Path, maps: MapFiles, *, inputs: frozenset[Hashable]
) -> Planned:
    """Read a picture and settle everything that can go wrong before the work.

    Raises
    ------
    InputError, OutputError
        The picture, a map, an option or a target cannot be used.
    """
    picture = read(source)
    size = (picture.width, picture.height)
    target = Target.of(source, args.out, args.format, several=len(args.sources) > 1)
    dtype = map_dtype(picture, args.map_bits)
    return Planned(
        source=source,
        order=Order(
            picture=picture,
            lens=options.lens_of(args, *size),
            kinds=args.save,
            maps={name: read_map(path, size) for name, path in maps.items()},
            subject=args.subject,
            map_dtype=dtype,
            matte_model=args.matte_model or "",
            depth_model=args.depth_model or "",
        ),
        paths=target.paths(args.save, picture, source, map_dtype=dtype, inputs=inputs),
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


def _complain(args: argparse.Namespace, source: Path, text: str) -> None:
    if args.json:
        print(json.dumps({"input": str(source), "error": text}), flush=True)
        return
    about = "" if str(source) in text else f"{source}: "
    print(f"defocus: {about}{text}", file=sys.stderr)
