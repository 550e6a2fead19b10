"""`defocus ablate portrait|depth --data DIR`: the paper's variants under one budget, one report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.cli import values

if TYPE_CHECKING:
    import argparse

    from bokeh_core.training.ablation import Variant
    from bokeh_core.training.runs import Run


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.epilog = "Can be stopped at any moment; the same command goes on."
    parser.add_argument("task", choices=("portrait", "depth"))
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    values.add_folders(parser)
    parser.add_argument(
        "--limit",
        type=values.whole(0),
        default=0,
        metavar="N",
        help="training pictures; 0 = all (the default)",
    )
    parser.add_argument(
        "--test-limit",
        type=values.whole(0),
        default=80,
        metavar="N",
        help="test pictures (80); 0 = all",
    )
    parser.add_argument(
        "--steps", type=values.whole(1), default=1000, help="of every variant (1000)"
    )
    parser.add_argument("--size", type=int, default=320, help="long side of the input (320)")
    parser.add_argument("--batch", type=int, default=8, help="pictures to a step (8)")
    parser.add_argument("--width", type=values.whole(1), default=64, help="of the plain U-Net (64)")
    parser.add_argument("--loss", help="of every variant (l1)")
    parser.add_argument(
        "--losses", action="store_true", help="one network under every loss, not the tables' rows"
    )
    parser.add_argument("--rows", default="", metavar="1,3", help="only these rows of the table")
    parser.add_argument(
        "--optimiser", choices=("sgd", "adamw"), default="sgd", help="the paper's sgd, or adamw"
    )
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    parser.add_argument("--rate", type=float, help="of learning (sgd 0.1, adamw 0.001)")
    parser.add_argument(
        "--seed", type=values.whole(0), default=1, help="of weights, order and views (1)"
    )
    parser.add_argument("--pretrained", action="store_true", help="ImageNet weights (download)")
    values.add_device(parser)
    parser.add_argument(
        "--name",
        type=values.plain_name,
        help="of the report and its picture (ablation, the task and the optimiser)",
    )
    parser.add_argument(
        "--run", type=Path, metavar="DIR", help="default: runs/ and the report's name"
    )
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="of the report")


def run(args: argparse.Namespace) -> int:
    """Train all variants and write the report; 130 when stopped."""
    if args.losses and args.loss:
        args.parser.error("--losses trains every loss: it takes no --loss")
    from bokeh_core.training import ablation, ablation_report  # noqa: PLC0415

    base = plan_of(args)
    rows = chosen(
        ablation.loss_variants(args.task, width=args.width)
        if args.losses
        else ablation.variants(args.task, pretrained=args.pretrained, width=args.width),
        args.rows,
    )
    dense = any(row.network.encoder == "densenet121" for row in rows)
    if args.pretrained and not dense:
        args.parser.error("--pretrained is only for the rows with DenseNet-121: 2 and 5")
    pairs = ablation.ablate(base, rows, lambda line: print(line, flush=True))
    if pairs is None:
        print("stopped; the same command goes on")
        return 130
    encoder = "ImageNet weights" if args.pretrained else "random weights, without --pretrained"
    facts = [
        f"Command: `{command(args)}`",
        "",
        f"Budget of every variant: {ablation.budget(base, every_loss=args.losses)}. "
        + ("Network: U-Net with batch norm. " if args.losses else "")
        + (f"DenseNet-121: {encoder}. " if dense else "")
        + "The paper: 1500 pictures of 600x800, 30 epochs, SGD at 0.1, ImageNet encoder.",
    ]
    name = name_of(args)
    ablation_report.write(pairs, args.task, name, facts, args.out, args.size)
    print("\n".join(ablation_report.table([result for result, _ in pairs], args.task)))
    print(args.out / f"{name}.md")
    return 0


def chosen(rows: list[Variant], numbers: str) -> list[Variant]:
    """Keep the rows that are named, counted from 1; empty: all.

    Raises
    ------
    InputError
        A number that is none, or no row's.
    """
    from bokeh_core.errors import InputError  # noqa: PLC0415

    if not numbers:
        return rows
    known = {str(index): row for index, row in enumerate(rows, 1)}
    wanted = numbers.split(",")
    if not set(wanted) <= known.keys():
        raise InputError(f"--rows must name rows from 1 to {len(rows)}, got {numbers!r}")
    return [known[number] for number in wanted]


def name_of(args: argparse.Namespace) -> str:
    """Name the report and the folder of its runs."""
    if args.name:
        return str(args.name)
    losses = "-losses" if args.losses else ""
    return f"ablation-{args.task}{losses}-{args.optimiser}"


def plan_of(args: argparse.Namespace) -> Run:
    """Turn the options into the run that all variants share."""
    from bokeh_core import devices  # noqa: PLC0415
    from bokeh_core.training.recipe import of_family  # noqa: PLC0415
    from bokeh_core.training.runs import Run  # noqa: PLC0415

    base = of_family(args.task, args.optimiser)
    rate = base.rate if args.rate is None else args.rate
    recipe = replace(
        base,
        loss=args.loss or base.loss,
        steps=args.steps,
        epochs=0,
        minutes=0,  # so that 0 steps are no training of this length
        batch=args.batch,
        precision=args.precision,
        seed=args.seed,
        rate=rate,
        encoder_rate=rate,
        sizes=((0.0, args.size),),
    )
    return Run(
        folder=args.run or Path("runs") / name_of(args),
        data=args.data,
        recipe=recipe,
        folders=args.folders,
        limit=args.limit,
        validation_limit=args.test_limit,
        device=str(devices.find(args.device)),
    )


def command(args: argparse.Namespace) -> str:
    """Give the command without the places on this machine."""
    from bokeh_core.training.recipe import PAPER  # noqa: PLC0415

    words = [f"defocus ablate {args.task} --data DIR"]
    words += [f"--folders {','.join(args.folders)}"] if args.folders else []
    words += [f"--limit {args.limit} --test-limit {args.test_limit} --steps {args.steps}"]
    words += [f"--size {args.size} --batch {args.batch} --width {args.width}"]
    words += ["--losses"] if args.losses else [f"--loss {args.loss or PAPER.loss}"]
    words += [f"--rows {args.rows}"] if args.rows else []
    words += [f"--optimiser {args.optimiser}"]
    words += [f"--rate {args.rate:g}"] if args.rate is not None else []
    words += [f"--precision {args.precision}"] if args.precision != "auto" else []
    words += [f"--seed {args.seed}"] if args.seed != 1 else []
    words += ["--pretrained"] if args.pretrained else []
    words += [f"--name {args.name}"] if args.name else []
    return " ".join(words)
