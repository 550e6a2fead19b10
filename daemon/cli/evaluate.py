"""`defocus evaluate portrait|depth --data DIR`: score the networks on labelled pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from daemon.cli import values

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("task", choices=("portrait", "depth"))
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="labelled pictures, or NYU's .mat"
    )
    values.add_folders(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        dest="everything",
        help="the training part too, not only 10 %%",
    )
    parser.add_argument(
        "--limit",
        type=values.whole(0),
        default=0,
        metavar="N",
        help="pictures per folder; 0 = all (the default)",
    )
    parser.add_argument(
        "--model",
        default="portrait",
        metavar="NAME|FILE",
        help="see defocus models list; or the weights.safetensors of defocus train joint",
    )
    parser.add_argument(
        "--refine",
        choices=("guided", "matting", "border", "none"),
        help="how the matte is brought to full size (guided)",
    )
    values.add_device(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="write table, scores and the worst ten pictures here",
    )


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    if args.refine and args.task == "depth":
        args.parser.error("--refine is for mattes, not for depth")
    from bokeh_core import devices  # noqa: PLC0415
    from bokeh_core.evaluation.network_report import Plan, evaluate  # noqa: PLC0415
    from daemon.cli.terminal import Bar  # noqa: PLC0415

    plan = Plan(
        args.task,
        args.data,
        args.folders,
        args.everything,
        args.limit,
        args.model,
        args.refine or "guided",
        str(devices.find(args.device)),
    )
    with Bar(f"evaluate {args.task}") as bar:
        text = evaluate(plan, args.out, bar)
    print(text)
    return 0
