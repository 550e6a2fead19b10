"""The `defocus` command: picks the subcommand; every error becomes one line and an exit code."""

from __future__ import annotations

import importlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from daemon.cli import argtypes, slips
from daemon.cli.error_text import NO_MEMORY, printable
from daemon.cli.error_text import words as words_of
from daemon.runtime import standard_streams

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

COMMANDS = {
    "photo": "blur the background of photos (the default: `defocus photo.jpg`)",
    "render": "blur again from edited maps",
    "batch": "blur a whole shoot; goes on where it was cut off",
    "dataset": "make a data set: mask, depth and bokeh of many kinds for every photo",
    "demo": "blur the sample portrait",
    "daemon": "start, stop and look at the resident server",
    "models": "network weights: list, use, add, remove, fetch and verify them",
    "presets": "looks by name: list them, delete your own",
    "train": "train a network",
    "ablate": "train the paper's variants under one budget and report",
    "evaluate": "score a network on pictures with known masks or depth",
    "paper": "the paper's algorithm on a photo, with every picture between",
    "compare": "quality and cost of several ways on the same photos",
    "bench": "measure speed and quality on this machine",
    "selftest": "check that a daemon works on this machine",
    "setup": "put the plug-ins into GIMP and Krita, or take everything away again",
    "doctor": "check the installation and say how to mend it",
}
"""Subcommand -> help; each is a module here with `configure(parser)` and `run(args) -> int`."""

_OWN_OPTIONS = {"-h", "--help", "--version"}
_LEAST_ADDRESSES = 1 << 29
"""Below it OpenBLAS, with which numpy loads, ends the process with words of its own."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 0 done, 1 failed, 2 wrong use or 130 interrupted."""
    return standard_streams.to_a_reader(lambda: _main(argv))


def _main(argv: Sequence[str] | None) -> int:
    # before torch is loaded: threads that spin at barriers starve each other on a busy machine
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _open_standard_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] not in COMMANDS and words[0] not in _OWN_OPTIONS:
        if words[0].isalpha() and not Path(words[0]).exists():
            print(
                f"defocus: no command or file named {printable(words[0])} (see defocus --help)",
                file=sys.stderr,
            )
            return 2
        words.insert(0, "photo")
    name = words[0] if words and words[0] in COMMANDS else None
    if name not in (None, "daemon", "setup", "doctor") and _address_space() < _LEAST_ADDRESSES:
        print(f"defocus: {NO_MEMORY}", file=sys.stderr)
        return 1
    try:
        return _run(words, name)
    except KeyboardInterrupt:
        print("defocus: interrupted", file=sys.stderr)
        return 130
    except Exception as error:  # noqa: BLE001 - no failure may end as a page of traceback
        if not (isinstance(error, BrokenPipeError) and standard_streams.reader_left()):
            print(f"defocus: {words_of(error)}", file=sys.stderr)
        return 1


def _address_space() -> float:
    """Return the limit of this process's address space in bytes; infinite where there is none."""
    try:
        import resource  # noqa: PLC0415 - POSIX only
    except ImportError:
        return float("inf")
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return float("inf") if limit == resource.RLIM_INFINITY else limit


class _Parser(argtypes.Parser):
    """Says what is wrong in one line instead of repeating every option."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.set_defaults(parser=self)  # the innermost one remains: its help is the one to name

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {printable(message)} (see {self.prog} --help)\n")


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
    slip = slips.of(words[1:])
    if slip:
        parser.error(slip)
    if name in ("photo", "render"):
        words = _with_plain_names(words)
    # photos may stand between the options; argparse cannot do that with subcommands
    read = (
        parser.parse_known_intermixed_args
        if name in ("photo", "batch", "dataset", "compare")
        else parser.parse_known_args
    )
    args, unknown = read(words[1:])
    if unknown:
        args.parser.error(slips.unknown(args, unknown))
    args.words = words[1:]
    return int(command.run(args))


def _open_standard_streams() -> None:
    """Open a place to go for closed streams.

    Otherwise the next file that is opened, a result perhaps, gets a closed stream's number, and
    libraries write their complaints into it.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names may hold any bytes
            stream.reconfigure(errors="surrogateescape")


def _with_plain_names(words: list[str]) -> list[str]:
    """Let what follows `--` be files, also those whose names begin with a dash."""
    if "--" not in words:
        return words
    at = words.index("--")
    names = words[at + 1 :]
    return [*words[:at], *(f".{os.sep}{n}" if n.startswith("-") else n for n in names)]


def _overview() -> argparse.ArgumentParser:
    """Build the parser of `defocus` itself: no command's module is imported for it."""
    from daemon.runtime.version import VERSION  # noqa: PLC0415

    parser = _Parser(prog="defocus", description="Portrait bokeh from one photo.")
    parser.add_argument("--version", action="version", version=f"defocus {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for command, text in COMMANDS.items():
        commands.add_parser(command, help=text)
    return parser


def _about(name: str) -> str:
    text = COMMANDS[name]
    return text[0].upper() + text[1:] + "."


if __name__ == "__main__":
    sys.exit(main())
