"""The work of `photo` and `render`: every picture is developed in turn, errors in one line each."""

from __future__ import annotations

import json
import shlex
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bokeh_core.errors import InputError
from bokeh_core.picture import SUFFIXES, Picture, read, write
from daemon.cli import maps, options
from daemon.cli.error_text import printable, shown, words
from daemon.cli.output_paths import OutputPaths, identities, map_dtype, original_of
from daemon.cli.progress_bar import ProgressBar
from daemon.cli.request import OUTPUT, PhotoRequest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Hashable

    from daemon.cli.backend import Backend, Made


@dataclass(frozen=True, eq=False)
class Planned:
    """A picture that was read and whose results have places to go."""

    source: Path
    order: PhotoRequest
    paths: dict[str, Path]
    notes: tuple[str, ...] = ()


def run(args: argparse.Namespace, studio: Backend) -> int:
    """Work through the pictures; returns the exit code: 0, or 1 when any of them failed."""
    kernel = [] if args.kernel is None else [args.kernel]
    inputs = identities([*args.sources, *maps.files_of(args), *kernel])
    _refuse_wrong_use(args, inputs)
    # ended from outside: leave through the clean-up that removes a file being written
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sources = [source for source in args.sources if not _skipped(args, source)]
    run = _Run(args, studio, identities([*sources, *maps.files_of(args), *kernel]))
    done = [_one(run, source) for source in sources]
    return int(not done or not all(done))


def _skipped(args: argparse.Namespace, source: Path) -> bool:
    """Leave out, with a note, what an earlier run has made: `*.jpg` names it too."""
    original = None if args.force else original_of(source)
    if original is None:
        return False
    note = f"is a result made of {original.name} and was left out (--force takes it as a photo)"
    if args.json:
        print(json.dumps({"input": str(source), "skipped": note}), flush=True)
    else:
        print(printable(f"{source}: note: {note}"), file=sys.stderr)
    return True


@dataclass(frozen=True, eq=False)
class _Run:
    """What all pictures share; neither inputs nor results of this run are ever overwritten."""

    args: argparse.Namespace
    studio: Backend
    inputs: frozenset[Hashable]
    taken: dict[Path, Path] = field(default_factory=dict)

    def claim(self, planned: Planned) -> None:
        """Take a picture's places, none of which may be another's."""
        for path in planned.paths.values():
            first = self.taken.setdefault(path.resolve(), planned.source)
            if first != planned.source:
                raise InputError(f"{path}: is already the result of {first}; use another --out")


def _refuse_wrong_use(args: argparse.Namespace, inputs: frozenset[Hashable]) -> None:
    """End here, with one message, when the options suit no picture."""
    try:
        options.check(args)
        maps.check(args)
        several = len(args.sources) > 1
        target = OutputPaths.of(args.sources[0], args.out, args.format, several=several)
        if not args.overwrite:
            target.refuse_existing(inputs)
    except InputError as error:
        args.parser.error(str(error))


def _one(run: _Run, source: Path) -> bool:
    args = run.args
    try:
        planned = plan(args, source, inputs=run.inputs)
        run.claim(planned)
        with ProgressBar(source.name, quiet=args.quiet) as progress:
            made = run.studio.make(planned.order.job(), progress)
            lost = save(planned, made, args.quality)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other pictures follow
        _complain(args, source, words(error))
        return False
    _report(args, planned, made, lost)
    return True


def plan(args: argparse.Namespace, source: Path, *, inputs: frozenset[Hashable]) -> Planned:
    """Read a picture and settle everything that can go wrong before the work.

    Raises
    ------
    InputError, OutputError
        The picture, a map, an option or a target cannot be used.
    """
    if source.is_dir():
        batch = f"defocus batch {shlex.quote(str(source))} --out DIR"
        raise InputError(f"{source}: is a folder; `{batch}` does all photos in it")
    picture = read(source)
    size = (picture.width, picture.height)
    target = OutputPaths.of(source, args.out, args.format, several=len(args.sources) > 1)
    dtype = map_dtype(picture, args.map_bits)
    paths = target.paths(args.save, picture, source, map_dtype=dtype, inputs=inputs)
    given = maps.maps_of(args, source, picture)
    lens = options.lens_of(args, *size, scene=given.scene)
    return Planned(
        source=source,
        order=PhotoRequest(
            picture=picture,
            lens=lens,
            kinds=args.save,
            maps=given.planes,
            subject=args.subject,
            map_dtype=dtype,
            matte_model=args.matte_model or "",
            depth_model=args.depth_model or "",
            refine=options.refine_of(args),
            painted=maps.rules(args.mask, lens),
        ),
        paths=paths,
        notes=(*given.notes, *_format_notes(args, picture, paths)),
    )


def _format_notes(
    args: argparse.Namespace, picture: Picture, paths: dict[str, Path]
) -> tuple[str, ...]:
    """Say so when the result has another format than the picture without having been asked to."""
    path = paths.get("composite")
    if path is None or args.format is not None or path == Path(args.out or ""):
        return ()
    written = SUFFIXES[path.suffix.lower()]
    if written == picture.format:
        return ()
    return (f"the result is written as {written}: {picture.format} cannot hold it",)


def save(planned: Planned, made: Made, quality: int) -> tuple[str, ...]:
    """Write every result, each file whole; returns notes on what could not be kept."""
    notes: tuple[str, ...] = ()
    for kind, path in planned.paths.items():
        codes = made.planes[OUTPUT[kind]]
        if kind == "composite":
            notes = write(path, planned.order.composite(codes), quality=quality)
        else:
            pixels = codes.reshape(*codes.shape[:2], 1)
            write(path, Picture(pixels=pixels, transfer="linear"))
    return notes


def _report(args: argparse.Namespace, planned: Planned, made: Made, lost: tuple[str, ...]) -> None:
    notes = (*planned.order.picture.notes, *made.notes, *planned.notes, *lost)
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
        print(printable(f"{planned.source}: note: {note}"), file=sys.stderr)
    if not args.quiet:
        for path in planned.paths.values():
            print(shown(path), flush=True)


def _complain(args: argparse.Namespace, source: Path, text: str) -> None:
    if args.json:
        print(json.dumps({"input": str(source), "error": text}), flush=True)
        return
    name = printable(str(source))
    about = "" if name in text else f"{name}: "
    print(f"defocus: {about}{text}", file=sys.stderr)
