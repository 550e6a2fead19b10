"""The `defocus` command: picks the subcommand and turns deliberate errors into one line and an exit code."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "photo": "blur the background of one or more photos (the default: `defocus photo.jpg`)",
    "render": "re-render from edited maps",
    "daemon": "start, stop and look at the resident server",
    "models": "list, fetch and verify network weights",
    "train": "train a network",
    "ablate": "train the paper's variants under one budget and report",
    "evaluate": "score a network on pictures with known masks or depth",
    "bench": "measure speed and quality on this machine",
    "selftest": "inject faults and report what was lost",
    "doctor": "check the installation and say how to mend it",
}
"""Subcommand -> one-line help. Each lives in `daemon.cli.<name>` with `configure(parser)` and `run(args) -> int`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code (0 done, 1 failed, 2 wrong usage, 130 interrupted)."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] not in COMMANDS and words[0] not in {"-h", "--help", "--version"}:
        words.insert(0, "photo")
    name = words[0] if words and words[0] in COMMANDS else None
    parser = _parser(name)
    args = parser.parse_args(words)
    if name is None:
        parser.print_help()
        return 2
    module = importlib.import_module(f"daemon.cli.{name}")
    try:
        return int(module.run(args))
    except KeyboardInterrupt:
        print("defocus: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1


def _parser(name: str | None) -> argparse.ArgumentParser:
    """Build the parser; only the chosen command's module is imported, so `--help` needs no torch."""
    from daemon import __version__  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="defocus", description="Portrait bokeh from one photo.")
    parser.add_argument("--version", action="version", version=f"defocus {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for command, text in COMMANDS.items():
        sub = commands.add_parser(command, help=text, description=text[0].upper() + text[1:] + ".")
        if command == name:
            importlib.import_module(f"daemon.cli.{command}").configure(sub)
    return parser


if __name__ == "__main__":
    sys.exit(main())
