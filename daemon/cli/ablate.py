"""`defocus ablate portrait|depth --data DIR`: the paper's variants under one budget, one report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.cli import argtypes

if TYPE_CHECKING:
    import argparse

    from bokeh_core.training.ablation import Variant
    from bokeh_core.training.identity import Run


BATCH = 8


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.epilog = "Can be stopped at any moment; the same command goes on."
    parser.add_argument("task", choices=("portrait", "depth"))
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    argtypes.add_folders(parser)
    argtypes.add_split(parser)
    parser.add_argument(
        "--limit",
        type=argtypes.whole(0),
        default=0,
        metavar="N",
        help="training pictures; 0 = all (the default)",
    )
    parser.add_argument(
        "--test-limit",
        type=argtypes.whole(0),
        default=80,
        metavar="N",
        help="test pictures (80); 0 = all",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--steps", type=argtypes.whole(1), default=1000, help="of every variant (1000)"
    )
    length.add_argument(
        "--epochs", type=float, default=0.0, help="of every variant, in place of --steps"
    )
    parser.add_argument("--size", type=int, default=320, help="long side of the input (320)")
    parser.add_argument("--batch", type=int, default=BATCH, help="pictures to a step (8)")
    parser.add_argument(
        "--width", type=argtypes.whole(1), default=64, help="of the plain U-Net (64)"
    )
    parser.add_argument("--loss", help="of every variant (l1)")
    parser.add_argument(
        "--losses", action="store_true", help="one network under every loss, not the tables' rows"
    )
    parser.add_argument(
        "--study",
        choices=("batches", "rates"),
        help="one network at every batch size (as many pictures each), or at rates of .1 to .001",
    )
    parser.add_argument("--rows", default="", metavar="1,3", help="only these rows of the table")
    parser.add_argument(
        "--optimiser", choices=("sgd", "adamw"), default="sgd", help="the paper's sgd, or adamw"
    )
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    parser.add_argument("--rate", type=float, help="of learning (sgd 0.1, adamw 0.001)")
    parser.add_argument(
        "--seed", type=argtypes.whole(0), default=1, help="of weights, order and views (1)"
    )
    parser.add_argument("--pretrained", action="store_true", help="ImageNet weights (download)")
    argtypes.add_device(parser)
    parser.add_argument(
        "--name",
        type=argtypes.plain_name,
        help="of the report and its picture (ablation, the task and the optimiser)",
    )
    parser.add_argument(
        "--run", type=Path, metavar="DIR", help="default: runs/ and the report's name"
    )
    parser.add_argument(
        "--out", type=argtypes.target, default=Path(), metavar="DIR", help="of the report"
    )


def run(args: argparse.Namespace) -> int:
    """Train all variants and write the report; 130 when stopped."""
    if args.losses and args.loss:
        args.parser.error("--losses trains every loss: it takes no --loss")
    if args.study and args.losses:
        args.parser.error("--study and --losses are two tables: one at a time")
    if args.study == "rates" and args.rate is not None:
        args.parser.error("--study rates trains every rate: it takes no --rate")
    if args.study == "batches" and args.batch != BATCH:
        args.parser.error("--study batches trains every batch size: it takes no --batch")
    from bokeh_core.errors import InputError  # noqa: PLC0415
    from bokeh_core.training import ablation, ablation_report, losses  # noqa: PLC0415
    from daemon.cli import output_paths  # noqa: PLC0415

    try:
        base = plan_of(args)
        losses.find(base.recipe.task, base.recipe.loss)
        rows = chosen(_rows(args), args.rows)
    except InputError as error:
        args.parser.error(str(error))
    output_paths.make_ready(args.out / f"{name_of(args)}.md")
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
        + ("Network: U-Net with batch norm. " if args.losses or args.study else "")
        + ("Every row sees as many pictures. " if args.study == "batches" else "")
        + (f"DenseNet-121: {encoder}. " if dense else "")
        + "[The paper](../references.md): 1500 pictures of 600x800, 30 epochs, SGD at 0.1, "
        "ImageNet encoder.",
    ]
    name = name_of(args)
    learnt = len(ablation.learnt_of(base))
    ablation_report.write(pairs, args.task, name, facts, args.out, size=args.size, learnt=learnt)
    print("\n".join(ablation_report.table([result for result, _ in pairs], args.task)))
    print(args.out / f"{name}.md")
    return 0


def _rows(args: argparse.Namespace) -> list[Variant]:
    from bokeh_core.training import ablation  # noqa: PLC0415

    if args.study:
        return ablation.study(args.study, width=args.width)
    if args.losses:
        return ablation.loss_variants(args.task, width=args.width)
    return ablation.variants(args.task, pretrained=args.pretrained, width=args.width)


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
    table = "-losses" if args.losses else f"-{args.study}" if args.study else ""
    return f"ablation-{args.task}{table}-{args.optimiser}"


def plan_of(args: argparse.Namespace) -> Run:
    """Turn the options into the run that all variants share."""
    from bokeh_core import devices  # noqa: PLC0415
    from bokeh_core.training.identity import Run  # noqa: PLC0415
    from bokeh_core.training.recipe import of_family  # noqa: PLC0415

    base = of_family(args.task, args.optimiser)
    rate = base.rate if args.rate is None else args.rate
    recipe = replace(
        base,
        loss=args.loss or base.loss,
        steps=0 if args.epochs else args.steps,
        epochs=args.epochs,
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
        split=args.split or "hash",
        limit=args.limit,
        test_limit=args.test_limit,
        device=str(devices.find(args.device)),
    )


def command(args: argparse.Namespace) -> str:
    """Return the command without the places on this machine."""
    from bokeh_core.training.recipe import PAPER  # noqa: PLC0415

    words = [f"defocus ablate {args.task} --data DIR"]
    words += [f"--folders {','.join(args.folders)}"] if args.folders else []
    words += [f"--split {args.split}"] if args.split else []
    words += [f"--limit {args.limit} --test-limit {args.test_limit}"]
    words += [f"--epochs {args.epochs:g}"] if args.epochs else [f"--steps {args.steps}"]
    words += [f"--size {args.size} --batch {args.batch} --width {args.width}"]
    words += ["--losses"] if args.losses else [f"--loss {args.loss or PAPER.loss}"]
    words += [f"--study {args.study}"] if args.study else []
    words += [f"--rows {args.rows}"] if args.rows else []
    words += [f"--optimiser {args.optimiser}"]
    words += [f"--rate {args.rate:g}"] if args.rate is not None else []
    words += [f"--precision {args.precision}"] if args.precision != "auto" else []
    words += [f"--seed {args.seed}"] if args.seed != 1 else []
    words += ["--pretrained"] if args.pretrained else []
    words += [f"--name {args.name}"] if args.name else []
    return " ".join(words)
