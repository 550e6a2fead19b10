"""`python -m tests.attacks`: do to the daemon and its command what was done before, and worse."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.attacks.attack import Succeeded
from tests.attacks.table import ATTACKS

if TYPE_CHECKING:
    from tests.attacks.attack import Attack

HEAD = """\
# Attacks

Printed by `python -m tests.attacks`, which does all of this to real daemons and commands on the
machine it runs on. *Before* is what came of it when it was found. What is promised, and what is
not: [security](security.md).
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.attacks", description=__doc__)
    parser.add_argument("--only", metavar="WORD", default="", help="only attacks with this word")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the table as a page")
    return parser


def run(attack: Attack) -> tuple[bool, str]:
    """Do one attack; tells whether it was fended off, and what came of it."""
    try:
        return True, attack.run()
    except Exception as fault:  # noqa: BLE001 - whatever goes wrong, the attack has worked
        kind = "" if isinstance(fault, Succeeded) else f"{type(fault).__name__}: "
        return False, f"{kind}{fault}"


def main(words: list[str] | None = None) -> int:
    """Print the table; 0 only when every attack was fended off."""
    args = _parser().parse_args(words)
    chosen = [attack for attack in ATTACKS if args.only in attack.name]
    if not chosen:
        print(f"no attack has {args.only!r} in its name", file=sys.stderr)
        return 2
    lines = ["| attack | before | now |", "|---|---|---|"]
    print("\n".join(lines), flush=True)
    won = 0
    for attack in chosen:
        began = time.monotonic()
        fended_off, outcome = run(attack)
        won += not fended_off
        lines.append(f"| {attack.name} | {attack.before} | {outcome} |")
        mark = "" if fended_off else "  <- IT WORKS"
        print(f"{lines[-1]} ({time.monotonic() - began:.0f} s){mark}", flush=True)
    if args.write is not None:
        args.write.write_text("\n".join([HEAD, *lines, ""]), encoding="utf-8")
    print(f"{len(chosen) - won} of {len(chosen)} attacks fended off", file=sys.stderr)
    return 1 if won else 0


if __name__ == "__main__":
    sys.exit(main())
