"""The `defocus` command: picks the subcommand; every error becomes one line and an exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from daemon.cli.wording import words as words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "photo": "blur the background of photos (the default: `defocus photo.jpg`)",
    "render": "blur again from edited maps",
    "demo": "blur the sample portrait",
    "daemon": "start, stop and look at the resident server",
    "models": "list, fetch and verify network weights",
    "train": "train a network",
    "ablate": "train the paper's variants under one budget and report",
    "evaluate": "score a network on pictures with known masks or depth",
    "bench": "measure speed and quality on this machine",
    "selftest": "inject faults and report what was lost",
    "doctor": "check the installation and say how to mend it",
}
"""Subcommand -> help; each is a module here with `configure(parser)` and `run(args) -> int`."""

_OWN_OPTIONS = {"-h", "--help", "--version"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 0 done, 1 failed, 2 wrong use or 130 interrupted."""
    # before torch is loaded: threads that spin at barriers starve each other on a busy machine
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] not in COMMANDS and words[0] not in _OWN_OPTIONS:
        if words[0].isalpha() and not Path(words[0]).exists():
            print(
                f"defocus: no command or file named {words[0]} (see defocus --help)",
                file=sys.stderr,
            )
            return 2
        words.insert(0, "photo")
    name = words[0] if words and words[0] in COMMANDS else None
    try:
        return _run(words, name)
    except KeyboardInterrupt:
        print("defocus: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # no complaint at exit
        return 1
    except Exception as error:  # noqa: BLE001 - no failure may end as a page of traceback
        print(f"defocus: {words_of(error)}", file=sys.stderr)
        return 1


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line instead of repeating every option."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.set_defaults(parser=self)  # the innermost one remains: its help is the one to name

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _run(words: list[str], name: str | None) -> int:
    if name is None:
        parser = _overview()
        parser.parse_args(words)
        parser.print_help()
        return 2
    command = importlib.import_module(f"daemon.cli.{name}")
    parser = _Parser(prog=f"defocus {name}", description=_about(name))
    command.configure(parser)
    if name == "bench" and words[1:] and words[1].startswith("-") and words[1] not in _OWN_OPTIONS:
        words.insert(1, command.DEFAULT)  # whose options these are, argparse could not guess
    dash = words[-1].startswith("-") and words[-1] not in _OWN_OPTIONS and "--" not in words
    if dash and words[:2] == ["daemon", "keys"]:
        words.insert(-1, "--")  # a key may begin with a dash, and there is no option but the help
    # photos may stand between the options; argparse cannot do that with subcommands
    read = parser.parse_known_intermixed_args if name == "photo" else parser.parse_known_args
    args, unknown = read(words[1:])
    if unknown:
        args.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return int(command.run(args))


def _overview() -> argparse.ArgumentParser:
    """Build the parser of `defocus` itself: no command's module is imported for it."""
    from daemon import __version__  # noqa: PLC0415

    parser = _Parser(prog="defocus", description="Portrait bokeh from one photo.")
    parser.add_argument("--version", action="version", version=f"defocus {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for command, text in COMMANDS.items():
        commands.add_parser(command, help=text)
    return parser


def _about(name: str) -> str:
    text = COMMANDS[name]
    return text[0].upper() + text[1:] + "."


if __name__ == "__main__":
    sys.exit(main())
