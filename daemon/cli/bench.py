"""`defocus bench [TARGET]`: measure speed and quality on this machine."""

from __future__ import annotations

import argparse
import importlib

TARGETS = {
    "pipeline": (
        "daemon.cli.bench_pipeline",
        "a 12-megapixel photo through a daemon: time, memory",
    ),
    "first-look": (
        "bokeh_core.evaluation.first_look_bench",
        "the network by torch and by onnxruntime",
    ),
    "render": ("bokeh_core.evaluation.render_bench", "quality and speed of the blur alone"),
}
"""OutputPaths -> module with `configure(parser)` and `run(args) -> int`, and what it measures."""
DEFAULT = "pipeline"
"""The target when none is named."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the targets; a target's own options are read by its module."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(
        ["targets:", *(f"  {name:12}{text}" for name, (_, text) in TARGETS.items())]
    )
    parser.add_argument("target", nargs="?", choices=TARGETS, default=DEFAULT, metavar="TARGET")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="of the target: TARGET --help")


def run(args: argparse.Namespace) -> int:
    """Run one target."""
    module = importlib.import_module(TARGETS[args.target][0])
    parser = argparse.ArgumentParser(
        prog=f"defocus bench {args.target}", description=TARGETS[args.target][1].capitalize() + "."
    )
    module.configure(parser)
    return int(module.run(parser.parse_args(args.options)))
