"""`defocus train TASK --data DIR`: train a network; stop and resume at any time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.cli import train_check, train_options

if TYPE_CHECKING:
    import argparse

    from bokeh_core.networks.records import ModelRecord
    from bokeh_core.training.identity import Run
    from bokeh_core.training.recipe import Recipe


TASKS = {
    "portrait": "train a network of the paper's family to find people",
    "depth": "train a network of the paper's family to see depth",
    "joint": "train the embedded network: people, animals and depth",
    "hair": "train the small network of strands (only --minutes, --batch and --seed change it)",
}
"""Task -> help."""

AGAIN = (
    "A run ends up in a folder with a checkpoint: the same command goes on where it was stopped."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    tasks = parser.add_subparsers(dest="task", required=True, metavar="TASK")
    for name, text in TASKS.items():
        train_options.configure(tasks.add_parser(name, help=text, description=text, epilog=AGAIN))
    about = "list all that is wrong with labelled pictures, and what they have"
    train_check.configure(tasks.add_parser("check", help=about, description=about))


def run(args: argparse.Namespace) -> int:
    """Train; 0 when finished, 130 when stopped. Or check the data."""
    if args.task == "check":
        return train_check.run(args)
    _refuse_idle(args)
    if args.task == "hair":
        return _hair(args)
    from bokeh_core.errors import InputError  # noqa: PLC0415
    from bokeh_core.networks import registry  # noqa: PLC0415
    from bokeh_core.training import export, losses, run_folder, runs  # noqa: PLC0415

    try:
        plan = plan_of(args)
        if plan.network is not None:
            losses.find(plan.recipe.task, plan.recipe.loss)
        if args.export:
            registry.check_new(args.export)  # now, not after an hour
    except InputError as error:
        args.parser.error(str(error))
    state = runs.train(plan, lambda line: print(line, flush=True))
    if state is None:
        print(f"stopped; the same command goes on from {plan.folder / run_folder.CHECKPOINT}")
        return 130
    print(
        f"finished: {plan.folder / run_folder.WEIGHTS}, learning curves beside it; "
        f"{run_folder.BEST} is of the lowest validation loss"
    )
    if args.export:
        given = {"licence": args.licence, "teacher": args.teacher, "keep": args.keep}
        stated = {name: value for name, value in given.items() if value}
        _exported(export.export(plan, state, args.export, **stated))
    return 0


def _exported(record: ModelRecord) -> None:
    print(f"exported as {record.name}: {record.file}")
    print(f"`defocus models use {record.name}` makes it the default")


def _hair(args: argparse.Namespace) -> int:
    from bokeh_core.networks import registry  # noqa: PLC0415
    from bokeh_core.training import hair_training  # noqa: PLC0415

    given = {name: getattr(args, name) for name in ("minutes", "batch", "seed")}
    if args.data is None:
        args.parser.error("--data is needed")
    plan = hair_training.HairRun(
        data=args.data,
        folder=args.run or Path("runs") / args.task,
        folders=tuple(args.folders),
        **{name: value for name, value in given.items() if value is not None},
    )
    if args.export:
        registry.check_new(args.export)
    scores = hair_training.train(plan, lambda line: print(line, flush=True))
    print(
        f"finished: mean error of alpha in the band {scores.found:.1f} / 1000, "
        f"of the coarse mattes {scores.coarse:.1f}"
    )
    if args.export:
        _exported(hair_training.export(plan, args.export, args.licence or "not stated"))
    return 0


def _refuse_idle(args: argparse.Namespace) -> None:
    """Refuse options that would do nothing for what is trained."""
    if args.task == "hair":
        _refuse_beside_hair(args)
    if (args.licence or args.teacher or args.keep) and not args.export:
        args.parser.error("--licence, --teacher and --keep are for what --export writes")
    if args.keep is not None and not (args.init and 0 < args.keep < 1):
        args.parser.error("--keep is a share between 0 and 1 of the weights of --init")
    given = _network(args)
    if args.task == "joint" and given:
        names = ", ".join(_option(name) for name in given)
        args.parser.error(f"{names}: only for the U-Net family (portrait, depth)")
    if args.encoder == "plain" and (args.pretrained or args.encoder_weights):
        args.parser.error("ImageNet weights are only for --encoder densenet121")
    if args.strict and args.broken is not None:
        args.parser.error("--strict is --broken 0: give one of them")
    if args.encoder != "plain" and args.width:
        args.parser.error("--width is only for --encoder plain")


def _refuse_beside_hair(args: argparse.Namespace) -> None:
    """Refuse what the network of strands does not have."""
    has = {"data", "folders", "run", "minutes", "batch", "seed", "export", "licence"}
    for name, value in vars(args).items():
        given = value or (value is False and name in _NEGATED)
        if given and name not in has | {"task", "parser", "words"}:
            args.parser.error(f"{_option(name)} has no effect on hair")


_NEGATED = {"skips": "--no-skips", "augmented": "--no-augment"}


def _option(name: str) -> str:
    return _NEGATED.get(name, f"--{name.replace('_', '-')}")


def plan_of(args: argparse.Namespace) -> Run:
    """Turn the options into a run; what is not given is as the settings file says, or as usual."""
    from bokeh_core import devices  # noqa: PLC0415
    from bokeh_core.errors import InputError  # noqa: PLC0415
    from bokeh_core.networks.unet import UNetConfig  # noqa: PLC0415
    from bokeh_core.training import settings, suspects  # noqa: PLC0415
    from bokeh_core.training.identity import Run  # noqa: PLC0415

    plan = Run(
        folder=args.run or Path("runs") / args.task,
        data=args.data or Path(),
        recipe=_usual(args),
        network=None if args.task == "joint" else UNetConfig(),
    )
    if args.config:
        plan = settings.read(args.config, plan)
        if plan.recipe.task != args.task:
            raise InputError(f"{args.config} is of a training of {plan.recipe.task}")
    elif args.data is None:
        args.parser.error("--data is needed, or --config")
    given = {
        "data": args.data,
        "folders": args.folders or None,
        "split": args.split,
        "limit": args.limit,
        "init": args.init,
        "encoder_weights": args.encoder_weights,
        "unknown": suspects.read(args.unknown) if args.unknown else None,
        "broken": 0 if args.strict else args.broken,
        "workers": args.workers,
        "memory": args.memory,
        "tensorboard": args.tensorboard,
    }
    plan = replace(
        plan,
        **{name: value for name, value in given.items() if value is not None},
        recipe=_changed(plan.recipe, args),
        device=str(devices.find(args.device or (plan.device if args.config else None))),
    )
    if plan.network is not None:
        plan = replace(plan, network=replace(plan.network, **_network(args)))
    _refuse_without_effect(plan.recipe, args)
    return plan


def _network(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options of the U-Net family that were given."""
    names = ("encoder", "width", "batch_norm", "sobel", "upsampling", "pretrained", "skips")
    return {name: value for name in names if (value := getattr(args, name)) is not None}


def _usual(args: argparse.Namespace) -> Recipe:
    from bokeh_core.training.recipe import FURTHER, Recipe, of_family  # noqa: PLC0415

    if args.task == "joint":
        return FURTHER if args.init else Recipe()
    return of_family(args.task, args.optimiser)


def _changed(base: Recipe, args: argparse.Namespace) -> Recipe:
    names = "steps epochs minutes batch loss optimiser schedule precision seed weights momentum"
    names += " decay patience factor clip augmented"
    changes = {name: value for name in names.split() if (value := getattr(args, name)) is not None}
    if changes.keys() & {"steps", "epochs", "minutes"}:
        changes = {"steps": 0, "epochs": 0.0, "minutes": 0.0, **changes}
    if args.size is not None:
        changes["sizes"] = base.with_sizes(args.size)
    if args.rate is not None:
        changes |= {"rate": args.rate, "encoder_rate": args.rate}
    return replace(base, **changes)


def _refuse_without_effect(recipe: Recipe, args: argparse.Namespace) -> None:
    if args.momentum is not None and recipe.optimiser != "sgd":
        args.parser.error("--momentum is only for --optimiser sgd")
    if recipe.schedule != "plateau" and (args.patience is not None or args.factor is not None):
        args.parser.error("--patience and --factor are only for --schedule plateau")
