"""`defocus train portrait|depth|joint --data DIR`: train a network; stop and resume at any time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.cli import values

if TYPE_CHECKING:
    import argparse

    from bokeh_core.training.recipe import Recipe
    from bokeh_core.training.runs import Run


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.epilog = (
        "Runs end up in a folder with a checkpoint: the same command goes on where it was stopped. "
        "`joint` trains the embedded network (both tasks), `portrait` and `depth` the U-Net family."
    )
    parser.add_argument("task", choices=("portrait", "depth", "joint"))
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="labelled pictures, or NYU's .mat"
    )
    values.add_folders(parser)
    parser.add_argument(
        "--limit", type=values.whole(0), default=0, metavar="N", help="training pictures"
    )
    parser.add_argument("--run", type=Path, metavar="DIR", help="default: runs/TASK")
    parser.add_argument(
        "--init",
        default="",
        metavar="NAME|FILE",
        help="go on from embedded weights or a .safetensors file, with lower rates (joint)",
    )
    values.add_device(parser)
    _add_length(parser)
    _add_network(parser)
    parser.add_argument(
        "--export",
        type=values.plain_name,
        metavar="NAME",
        help="write the finished weights into the package as NAME (joint)",
    )
    parser.add_argument("--licence", metavar="TEXT", help="of the exported weights, for the record")
    parser.add_argument(
        "--teacher", metavar="TEXT", help="who made the masks and depths, for the record"
    )
    parser.add_argument(
        "--keep",
        type=float,
        metavar="SHARE",
        help="export a mean with this share, 0 to 1, of the weights of --init",
    )


def _add_length(parser: argparse.ArgumentParser) -> None:
    length = parser.add_argument_group("length and learning")
    length.add_argument(
        "--minutes",
        type=float,
        help="of steps (joint: 90); scores, saving and time stopped do not count",
    )
    length.add_argument(
        "--epochs", type=float, help="passes over the pictures (30); counts before --minutes"
    )
    length.add_argument("--steps", type=int, help="counts before --epochs and --minutes")
    length.add_argument("--batch", type=int, help="pictures to a step (8)")
    length.add_argument(
        "--size", type=int, help="long side of the input, multiple of 32 (joint: grows; else 320)"
    )
    length.add_argument("--loss", help="by name; a wrong one lists them (portrait and depth)")
    length.add_argument(
        "--optimiser", choices=("adamw", "sgd"), help="joint: adamw; the U-Net family: sgd"
    )
    length.add_argument(
        "--schedule", choices=("cosine", "plateau"), help="of the rate: cosine with adamw"
    )
    length.add_argument("--rate", type=float, help="of learning, the encoder's too")
    length.add_argument(
        "--precision", choices=("auto", "fp32", "bf16"), help="auto: what the device gains by"
    )
    length.add_argument("--seed", type=int, help="of weights, order and views (1)")


def _add_network(parser: argparse.ArgumentParser) -> None:
    """Add the options of `UNetConfig`, which has their defaults."""
    family = parser.add_argument_group("the U-Net family (portrait, depth)")
    family.add_argument("--encoder", choices=("plain", "densenet121"), help="default: densenet121")
    family.add_argument("--width", type=values.whole(1), help="of the plain encoder (64)")
    family.add_argument("--batch-norm", action="store_true", default=None)
    family.add_argument(
        "--sobel", action="store_true", default=None, help="edges as a fourth channel"
    )
    family.add_argument(
        "--upsampling",
        choices=("bilinear", "nearest", "transposed", "pixelshuffle"),
        help="default: bilinear",
    )
    family.add_argument(
        "--pretrained", action="store_true", default=None, help="ImageNet weights (download)"
    )


def run(args: argparse.Namespace) -> int:
    """Train; 0 when finished, 130 when stopped."""
    _refuse_idle(args)
    from bokeh_core.training import export, runs  # noqa: PLC0415

    plan = plan_of(args)
    state = runs.train(plan, lambda line: print(line, flush=True))
    if state is None:
        print(f"stopped; the same command goes on from {plan.folder / runs.CHECKPOINT}")
        return 130
    print(f"finished: {plan.folder / runs.WEIGHTS}, learning curves beside it")
    if args.export:
        given = {"licence": args.licence, "teacher": args.teacher, "keep": args.keep}
        stated = {name: value for name, value in given.items() if value}
        record = export.embed(plan, state, args.export, **stated)
        print(f"embedded as {record.name}: {record.file}, SHA-256 {record.sha256}")
    return 0


def _refuse_idle(args: argparse.Namespace) -> None:
    """Refuse options that would do nothing for what is trained."""
    if args.export and args.task != "joint":
        args.parser.error("--export is only for joint, the network that the library uses")
    if (args.licence or args.teacher or args.keep) and not args.export:
        args.parser.error("--licence, --teacher and --keep are for what --export writes")
    if args.keep is not None and not (args.init and 0 < args.keep < 1):
        args.parser.error("--keep is a share between 0 and 1 of the weights of --init")
    given = _network(args)
    if args.task == "joint" and given:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        args.parser.error(f"{names}: only for the U-Net family (portrait, depth)")
    if args.encoder == "plain" and args.pretrained:
        args.parser.error("--pretrained is only for --encoder densenet121")
    if args.encoder != "plain" and args.width:
        args.parser.error("--width is only for --encoder plain")


def plan_of(args: argparse.Namespace) -> Run:
    """Turn the options into a run."""
    from bokeh_core import devices  # noqa: PLC0415
    from bokeh_core.networks.unet import UNetConfig  # noqa: PLC0415
    from bokeh_core.training.runs import Run  # noqa: PLC0415

    network = None
    if args.task != "joint":
        network = UNetConfig(**_network(args))
    return Run(
        folder=args.run or Path("runs") / args.task,
        data=args.data,
        recipe=_recipe(args),
        network=network,
        folders=args.folders,
        limit=args.limit,
        init=args.init,
        device=str(devices.find(args.device)),
    )


def _network(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options of the U-Net family that were given."""
    names = ("encoder", "width", "batch_norm", "sobel", "upsampling", "pretrained")
    return {name: value for name in names if (value := getattr(args, name)) is not None}


def _recipe(args: argparse.Namespace) -> Recipe:
    from bokeh_core.training.recipe import FURTHER, Recipe, of_family  # noqa: PLC0415

    if args.task == "joint":
        base = FURTHER if args.init else Recipe()
    else:
        base = of_family(args.task, args.optimiser)
    given = {
        "steps": args.steps,
        "epochs": args.epochs,
        "minutes": args.minutes,
        "batch": args.batch,
        "loss": args.loss,
        "optimiser": args.optimiser,
        "schedule": args.schedule,
        "precision": args.precision,
        "seed": args.seed,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    if changes.keys() & {"steps", "epochs", "minutes"}:
        changes = {"steps": 0, "epochs": 0.0, "minutes": 0.0, **changes}
    if args.size is not None:
        changes["sizes"] = ((0.0, args.size),)
    if args.rate is not None:
        changes |= {"rate": args.rate, "encoder_rate": args.rate}
    return replace(base, **changes)
