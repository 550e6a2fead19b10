"""`defocus evaluate portrait|depth --data DIR`: score the networks on labelled pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from daemon.cli import argtypes

if TYPE_CHECKING:
    import argparse


_OF_NETWORKS = (
    *("data", "folders", "split", "everything", "limit", "model", "refine", "once"),
    *("suspects", "device", "out", "save_predictions"),
)
"""Options that mean nothing where no network is run."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "task",
        choices=("portrait", "depth", "small"),
        help="small: people of folders of soft mattes, pasted far away into photos of nobody",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="labelled pictures, or NYU's .mat")
    parser.add_argument(
        "--predictions",
        type=Path,
        metavar="DIR",
        help="no network: score these pictures, of any program, against those of --truth",
    )
    parser.add_argument(
        "--truth", type=Path, metavar="DIR", help="masks or depths, named as the predictions"
    )
    parser.add_argument(
        "--save-predictions",
        type=argtypes.target,
        metavar="DIR",
        help="write what was found as 16-bit pictures, FOLDER/NAME_mask.png or NAME_depth.png",
    )
    argtypes.add_folders(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        dest="everything",
        help="the training part too, not only 10 %%",
    )
    argtypes.add_split(parser)
    parser.add_argument(
        "--limit",
        type=argtypes.whole(0),
        default=0,
        metavar="N",
        help="pictures per folder; 0 = all (the default)",
    )
    parser.add_argument(
        "--model",
        type=argtypes.model,
        default="portrait",
        metavar="NAME|FILE",
        help="see defocus models list; or the weights.safetensors of a defocus train",
    )
    parser.add_argument(
        "--refine",
        choices=("hair", "guided", "matting", "border", "none"),
        help="how the matte is brought to full size (hair)",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="mattes of one look, without the closer and the smaller ones",
    )
    parser.add_argument(
        "--suspects",
        type=argtypes.target,
        metavar="FILE",
        help="list the pictures whose masks are far from what was found, for train --unknown",
    )
    parser.add_argument(
        "--unknown",
        type=Path,
        metavar="FILE",
        help="pictures whose masks are wrong and not scored, a list as of --suspects",
    )
    argtypes.add_device(parser)
    parser.add_argument(
        "--out",
        type=argtypes.target,
        metavar="DIR",
        help="write table, scores and the worst ten pictures here",
    )


def run(args: argparse.Namespace) -> int:
    """Print the table; with --suspects, write which labels stay far off."""
    if args.predictions or args.truth:
        return _folders(args)
    if args.data is None:
        args.parser.error("--data is needed, or --predictions and --truth")
    if args.refine and args.task == "depth":
        args.parser.error("--refine is for mattes, not for depth")
    if args.once and args.task == "depth":
        args.parser.error("--once is for mattes, not for depth")
    if args.suspects and args.task != "portrait":
        args.parser.error("--suspects is for portrait: it lists masks")
    from bokeh_core import devices  # noqa: PLC0415
    from bokeh_core.evaluation.network_report import Plan, evaluate  # noqa: PLC0415
    from bokeh_core.training import suspects  # noqa: PLC0415
    from daemon.cli import output_paths  # noqa: PLC0415
    from daemon.cli.progress_bar import ProgressBar  # noqa: PLC0415

    plan = Plan(
        args.task,
        args.data,
        args.folders,
        args.everything,
        args.limit,
        args.model,
        args.refine or "hair",
        str(devices.find(args.device)),
        args.suspects,
        args.once,
        args.split or "hash",
        args.save_predictions,
        suspects.read(args.unknown) if args.unknown else frozenset(),
    )
    for path in (args.suspects, args.out and args.out / "table.md"):
        if path:
            output_paths.make_ready(path)
    with ProgressBar(f"evaluate {args.task}") as bar:
        text = evaluate(plan, args.out, bar)
    print(text)
    return 0


def _folders(args: argparse.Namespace) -> int:
    """Print the table of two folders."""
    if not (args.predictions and args.truth):
        args.parser.error("--predictions and --truth go together")
    if args.task == "small":
        args.parser.error("--predictions is for portrait and depth")
    for name in _OF_NETWORKS:
        if getattr(args, name) != args.parser.get_default(name):
            option = "all" if name == "everything" else name.replace("_", "-")
            args.parser.error(f"--{option} has no effect beside --predictions")
    from bokeh_core.evaluation.network_report import evaluate_folders  # noqa: PLC0415
    from daemon.cli.progress_bar import ProgressBar  # noqa: PLC0415

    with ProgressBar(f"evaluate {args.task}") as bar:
        text = evaluate_folders(args.predictions, args.truth, args.task, bar)
    print(text)
    return 0
