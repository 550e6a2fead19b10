"""`defocus batch SOURCE... --out DIR`: a whole shoot; killed at any moment it goes on later."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.cli import argtypes
from daemon.cli.error_text import printable, shown

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from daemon.batch.crew import Crew
    from daemon.batch.journal import Journal
    from daemon.batch.runner import Batch, Tally
    from daemon.batch.sources import Source

SHEET = "contact-sheet.jpg"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    from daemon.cli import maps, options  # noqa: PLC0415

    add_sources(parser)
    parser.add_argument(
        "--settings", type=Path, metavar="FILE", help="TOML: options by folder or name"
    )
    add_journalled(parser)
    group = options.add_results(parser)
    options.add_models(group)
    group.add_argument(
        "--sheet",
        nargs="?",
        type=argtypes.target,
        const=Path(SHEET),
        metavar="FILE",
        help=f"also draw a contact sheet of all results (DIR/{SHEET})",
    )
    add_crew(parser)
    maps.add(parser, files=False)
    options.add_lens(parser)
    parser.set_defaults(where="here")


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Add what names the pictures."""
    parser.add_argument(
        "sources", nargs="*", metavar="SOURCE", help="folders (to any depth), patterns, files"
    )
    parser.add_argument(
        "--from",
        dest="listed",
        type=Path,
        metavar="FILE",
        help="more sources from a text file, one a line; - is the standard input",
    )
    parser.add_argument(
        "--force", action="store_true", help="take results of an earlier run for photos too"
    )


def add_journalled(parser: argparse.ArgumentParser) -> None:
    """Add the options of whatever has a journal."""
    parser.add_argument(
        "--out",
        type=argtypes.target,
        required=True,
        metavar="DIR",
        help="where results and journal go",
    )
    parser.add_argument("--retry", action="store_true", help="do again what failed before")
    parser.add_argument(
        "--verify", action="store_true", help="compare the hashes of results that are there"
    )
    parser.add_argument(
        "--summary",
        type=argtypes.target,
        metavar="FILE",
        help="a table of what was done: .csv or .json",
    )
    parser.add_argument("--json", action="store_true", help="the figures as one line of JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress, no report")


def add_crew(parser: argparse.ArgumentParser) -> None:
    """Add the options for who does the work."""
    work = parser.add_argument_group("work")
    work.add_argument(
        "--workers",
        type=argtypes.whole(1, 1024),
        metavar="N",
        help="processes on this machine (default: what cores and memory take)",
    )
    work.add_argument(
        "--memory",
        type=argtypes.gigabytes,
        metavar="GB",
        help="for all processes together (default: half of what is free)",
    )
    work.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="have a Dask cluster do it, as tcp://host:8786; local: one of this machine",
    )
    work.add_argument(
        "--ship",
        action="store_true",
        help="send the photos to workers that do not see this folder, and take the results",
    )
    work.add_argument(
        "--time-limit",
        type=argtypes.seconds,
        default=1800.0,
        metavar="SECONDS",
        help="a photo that takes longer has failed, and its worker is replaced (1800; inf: none)",
    )
    argtypes.add_device(work, text="of the workers: cpu, cuda, cuda:1 ... (a GPU if there is one)")


def run(args: argparse.Namespace) -> int:
    """Do the batch; 1 when a photo failed."""
    from bokeh_core.errors import InputError  # noqa: PLC0415
    from daemon.batch import settings, summary  # noqa: PLC0415
    from daemon.batch.runner import Batch  # noqa: PLC0415
    from daemon.cli import output_paths  # noqa: PLC0415
    from daemon.cli.batch_work import Orders  # noqa: PLC0415

    try:
        found = photos(args)
        rules = settings.load(args.settings) if args.settings else ()
        orders = Orders(args, configure, rules)
        for source in found:
            orders(source)  # options that contradict each other are refused before any work
        if args.summary:
            summary.check(args.summary)
        if args.sheet:
            inputs = output_paths.identities(source.path for source in found)
            output_paths.refuse_input(_sheet(args), inputs)
        batch = Batch(found, orders, retry=args.retry, verify=args.verify)
    except InputError as error:
        args.parser.error(str(error))
    if not args.quiet:
        for note in settings.unused(rules, [source.key for source in found]):
            _note(f"note: {note}")
    return work_through(args, batch, lambda journal: _draw(args, journal, found))


def work_through(
    args: argparse.Namespace, batch: Batch, afterwards: Callable[[Journal], None]
) -> int:
    """Run a batch with its journal and its crew, and report; gives the exit code.

    `afterwards` is called while the journal is still open.
    """
    from daemon.batch import runner, summary  # noqa: PLC0415
    from daemon.batch.journal import Journal  # noqa: PLC0415
    from daemon.cli.progress_bar import ProgressBar  # noqa: PLC0415
    from daemon.runtime.version import VERSION  # noqa: PLC0415

    # ended from outside: leave through the clean-up, which takes the workers along
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    hired = crew(args)
    with Journal(args.out) as journal:
        if journal.unreadable and not args.quiet:
            _note(f"{journal.path}: {journal.unreadable} unreadable lines count for nothing")
        journal.begin(VERSION, len(batch.items))
        with hired as hands, ProgressBar(args.out.name or "batch", quiet=args.quiet) as bar:
            tally = runner.run(
                batch,
                journal,
                hands,
                lambda so_far: bar(
                    summary.on_the_way(so_far), so_far.settled / max(so_far.pictures, 1)
                ),
            )
        keys = [item.key for item in batch.items]
        if args.summary:
            entries = [journal.entries[key] for key in keys if key in journal.entries]
            summary.write(args.summary, entries, tally)
        afterwards(journal)
        _report(args, tally, journal.path)
    return int(bool(tally.failures))


def crew(args: argparse.Namespace) -> Crew:
    """Choose who does the work."""
    from daemon.batch.local import Local, Size  # noqa: PLC0415

    if args.scheduler is None:
        if args.ship:
            args.parser.error("--ship goes with --scheduler")
        return Local(Size(args.workers, args.memory), args.time_limit)
    from daemon.batch.cluster import Cluster  # noqa: PLC0415

    if args.scheduler != "local" and args.workers:
        args.parser.error("--workers is for this machine; a scheduler has its own")
    if args.memory:
        args.parser.error("--memory is for processes of this machine without --scheduler")
    return Cluster(args.scheduler, args.workers or 2, ships=args.ship, limit=args.time_limit)


def photos(args: argparse.Namespace) -> list[Source]:
    """Find the photos that are named, also in a list; what `defocus photo` made is left out.

    Raises
    ------
    InputError
        A name leads to nothing.
    """
    from bokeh_core.errors import InputError  # noqa: PLC0415
    from daemon.batch import sources  # noqa: PLC0415
    from daemon.cli.output_paths import original_of  # noqa: PLC0415

    named = [*args.sources, *_listed(args.listed)]
    if not named:
        raise InputError("no SOURCE given")
    found = sources.find(named, args.out, lambda told: _note(f"note: {told}"))
    made = [] if args.force else [source for source in found if original_of(source.path)]
    if made and not args.quiet:
        _note(f"{len(made)} results of earlier runs were left out (--force takes them as photos)")
    return [source for source in found if source not in made]


def _listed(path: Path | None) -> list[str]:
    from daemon.batch import texts  # noqa: PLC0415
    from daemon.batch.sources import names_in  # noqa: PLC0415

    if path is None:
        return []
    return names_in(sys.stdin.read() if str(path) == "-" else texts.read(path))


def _draw(args: argparse.Namespace, journal: Journal, found: Sequence[Source]) -> None:
    if args.sheet is None:
        return
    from daemon.batch import contact_sheet  # noqa: PLC0415

    results = []
    for source in found:
        entry = journal.entries.get(source.key)
        if entry is not None and entry.outputs:
            kind = "composite" if "composite" in entry.outputs else next(iter(entry.outputs))
            results.append((source.key, args.out / entry.outputs[kind].path))
    for page in contact_sheet.draw(results, _sheet(args)):
        if not (args.quiet or args.json):
            print(shown(page))


def _sheet(args: argparse.Namespace) -> Path:
    return args.out / SHEET if args.sheet == Path(SHEET) else Path(args.sheet)


def _report(args: argparse.Namespace, tally: Tally, journal: Path) -> None:
    from daemon.batch import summary  # noqa: PLC0415

    for key, error in tally.failures.items():
        _note(error if key in error else f"{key}: {error}")
    if tally.failures and not args.retry:
        _note(f"--retry does the {len(tally.failures)} that failed again")
    if args.json:
        print(json.dumps({**summary.figures(tally), "journal": str(journal)}), flush=True)
    elif not args.quiet:
        print(f"{summary.sentence(tally)}; {shown(journal)}", flush=True)


def _note(text: str) -> None:
    print(printable(f"defocus: {text}"), file=sys.stderr)
