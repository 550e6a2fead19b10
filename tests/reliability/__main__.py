"""`python -m tests.reliability`: break the daemon in every way we know, count what was lost."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.reliability import table

if TYPE_CHECKING:
    from tests.reliability.row import Row


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.reliability", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small counts, about a minute")
    parser.add_argument(
        "--soak", type=float, default=0.0, metavar="MINUTES", help="end with a soak this long"
    )
    parser.add_argument("--only", metavar="WORD", help="only some rows, for example worker_row")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the table as a page")
    return parser


def main(words: list[str] | None = None) -> int:
    """Run the table; 0 only when nothing was lost, hung or untyped."""
    args = _parser().parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no daemon is left behind
    chosen = table.rows(full=not args.quick, soak_minutes=args.soak)
    if args.only and not any(args.only in name for name in table.names(chosen)):
        print(
            f"no row is called {args.only}; rows: {', '.join(table.names(chosen))}",
            file=sys.stderr,
        )
        return 2
    found: list[Row] = []
    print(f"{'fault':62}{'tried':>8}{'lost':>6}{'hung':>6}{'untyped':>9}{'worst ms':>10}")
    for row, seconds in table.run(chosen, args.only):
        found.append(row)
        print(
            f"{row.fault:62}{row.tried:8}{row.lost:6}{row.hung:6}{row.untyped:9}{row.worst_ms:10.0f}"
            f"   {row.note} ({seconds:.0f} s)",
            flush=True,
        )
        for example in row.examples:
            print(f"    {example}", file=sys.stderr)
    if args.write is not None:
        words = f"python -m tests.reliability{' --quick' if args.quick else ''}"
        soak = f" --soak {args.soak:g}" if args.soak else ""
        args.write.write_text(table.page(found, words + soak), encoding="utf-8")
    return 0 if found and all(row.good for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
