"""Options that `photo` and `render` share: the lens from the command line, and where results go."""

from __future__ import annotations

import argparse
import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bokeh_core.errors import InputError
from bokeh_core.lens import BinnedGaussian, Lens
from bokeh_core.picture import read
from daemon.cli import values
from daemon.cli.looks import DEFAULT, DISTANCE_M, FOCAL_MM, PRESETS, SENSOR_MM, portrait_coc

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = ("mask", "depth", "composite")
_BY_HAND = {"focus", "focus_point", "max_coc", "kernel", "rotation"}
_CAMERA = ("f_number", "focal_length", "focus_distance", "sensor_width")
_IN_A_KERNEL = ("blades", "curvature", "ring")


def add_lens(parser: argparse.ArgumentParser) -> None:
    """Add the options of the blur; most come from the fields of `Lens`."""
    look = parser.add_argument_group("look")
    look.add_argument("--preset", choices=[*PRESETS, "paper"], help="a ready-made look")
    look.add_argument(
        "--style", choices=["lens", "paper"], help="a lens, or the paper's Gaussian bins"
    )
    look.add_argument(
        "--f-number", type=float, metavar="N", help="aperture; smaller blurs more (default 2.8)"
    )
    look.add_argument(
        "--focus",
        type=_focus,
        metavar="X,Y|DEPTH|subject",
        help="what is sharp: a point as fractions of width and height (0.4,0.3), a depth from 0 far"
        " to 1 near (0.7), or the subject (default)",
    )
    look.add_argument(
        "--subject",
        choices=["main", "all", "at_focus_point", "none"],
        default="main",
        help="who is the subject: the main people (default), everybody, who is at the focus point,"
        " or nobody",
    )
    look.add_argument("--max-coc", type=float, metavar="PX", help="blur radius, not --f-number")
    for name, default, text in (
        ("focal-length", FOCAL_MM, "mm"),
        ("focus-distance", DISTANCE_M, "m"),
        ("sensor-width", SENSOR_MM, "mm"),
    ):
        look.add_argument(
            f"--{name}",
            type=float,
            metavar=text.upper(),
            help=f"of the lens that --f-number stands for (default {default:g} {text})",
        )
    look.add_argument(
        "--rotation", type=values.degrees, metavar="DEGREES", help="of the aperture blades"
    )
    look.add_argument("--kernel", type=Path, metavar="FILE", help="own aperture: a grey picture")
    _add_fields(look, Lens, DEFAULT)
    paper = vars(BinnedGaussian.published(1000, 1000))
    _add_fields(parser.add_argument_group("look, style paper"), BinnedGaussian, paper)


def _add_fields(
    group: argparse._ArgumentGroup, kind: type[Lens | BinnedGaussian], usually: dict[str, Any]
) -> None:
    for field in dataclasses.fields(kind):
        if field.name in _BY_HAND:
            continue
        option = "--" + field.name.replace("_", "-")
        about = field.metadata
        usual = usually.get(field.name, field.default)
        if field.type == "bool":
            group.add_argument(
                option,
                action=argparse.BooleanOptionalAction,
                default=None,
                help=f"{about['help']} (default {_usual(field.name, yes=usual)})",
            )
            continue
        limits = f"{about['low']:g} to {about['high']:g} {about['unit']}"
        limits += ", grows with the picture" if field.name == "strength" else f", default {usual:g}"
        group.add_argument(
            option,
            type=int if field.type == "int" else float,
            metavar="N",
            help=f"{about['help']} ({limits})",
        )


def _usual(name: str, *, yes: bool) -> str:
    if name == "keep_subject_sharp":
        return "yes, and no with --focus at a point or depth"
    return "yes" if yes else "no"


def _focus(text: str) -> dict[str, Any]:
    if text == "subject":
        return {}
    try:
        found = [float(word) for word in text.split(",")]
    except ValueError:
        found = []
    if not 1 <= len(found) <= 2 or not all(0.0 <= value <= 1.0 for value in found):
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y or DEPTH from 0 to 1, or 'subject'")
    return {"focus": found[0]} if len(found) == 1 else {"focus_point": tuple(found)}


def check(args: argparse.Namespace) -> None:
    """Refuse options that are wrong for every picture.

    Raises
    ------
    InputError
        A value is out of range, or an option contradicts another, leaves it without effect or needs
        it.
    """
    look = lens_of(args, 1000, 1000)
    if args.subject == "at_focus_point" and not (isinstance(look, Lens) and look.focus_point):
        raise InputError("--subject at_focus_point needs --focus X,Y")
    if args.subject == "none" and args.mask is not None:
        raise InputError("--mask has no effect beside --subject none")
    _check_models(args)
    if args.where == "start" and args.device != "auto":
        raise InputError(
            f"--device is for work done here; `defocus daemon start --device {args.device}`"
            " sets the daemon's"
        )


def _check_models(args: argparse.Namespace) -> None:
    """Refuse the model of a map that is not estimated."""
    if args.depth is not None:
        _refuse(args, ["depth_model"], "has no effect beside --depth")
        if args.subject == "none":
            _refuse(args, ["matte_model"], "has no effect beside --depth and --subject none")
    if args.mask is not None:
        _refuse(args, ["matte_model"], "has no effect beside --mask")


def lens_of(args: argparse.Namespace, width: int, height: int) -> Lens | BinnedGaussian:
    """Make the lens that the options ask for, for a picture of this size.

    Raises
    ------
    InputError
        A value is out of range, an option is of the other style, or two contradict each other.
    """
    style = args.style or ("paper" if args.preset == "paper" else "lens")
    if style == "paper":
        if args.preset not in (None, "paper"):
            raise InputError(f"--preset {args.preset} is a lens; --style paper is not")
        _refuse(args, [*_names(Lens), *_CAMERA], "is only for --style lens")
        look = BinnedGaussian.published(width, height)
        return dataclasses.replace(look, **_given(args, BinnedGaussian))
    if args.preset == "paper":
        raise InputError("--preset paper is not a lens; leave out --style lens")
    _refuse(args, _names(BinnedGaussian), "is only for --style paper")
    if args.max_coc is not None:
        _refuse(args, _CAMERA, "and --max-coc both set the blur: give one of them")
    if args.kernel is not None:
        _refuse(args, _IN_A_KERNEL, "has no effect beside --kernel")
    return _lens(args, max(width, height))


def _refuse(args: argparse.Namespace, names: Iterable[str], why: str) -> None:
    for name in names:
        if getattr(args, name, None) is not None:
            raise InputError(f"--{name.replace('_', '-')} {why}")


def _lens(args: argparse.Namespace, long_side: int) -> Lens:
    chosen = {**DEFAULT, **PRESETS.get(args.preset, {}), **_given(args, Lens)}
    f_number = chosen.pop("f_number")
    if args.max_coc is None:
        radius = portrait_coc(
            f_number if args.f_number is None else args.f_number,
            long_side,
            focal_mm=FOCAL_MM if args.focal_length is None else args.focal_length,
            distance_m=DISTANCE_M if args.focus_distance is None else args.focus_distance,
            sensor_mm=SENSOR_MM if args.sensor_width is None else args.sensor_width,
        )
        chosen["max_coc"] = min(radius, 1024.0)
    focus = args.focus or {}
    if focus and args.keep_subject_sharp is None:
        chosen["keep_subject_sharp"] = False  # the focus is elsewhere: the subject may blur
    if args.rotation is not None:
        chosen["rotation"] = math.radians(args.rotation)
    if args.kernel is not None:
        chosen["kernel"] = read(args.kernel, min_side=1).linear().mean(axis=2, dtype=np.float64)
    return Lens(**chosen, **focus)


def _names(kind: type[Lens | BinnedGaussian]) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def _given(args: argparse.Namespace, kind: type[Lens | BinnedGaussian]) -> dict[str, Any]:
    given = {name: getattr(args, name, None) for name in _names(kind)}
    return {
        name: value
        for name, value in given.items()
        if value is not None and name not in _BY_HAND - {"max_coc"}
    }


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the options for results and for how the work is done."""
    group = parser.add_argument_group("results")
    group.add_argument(
        "--out",
        metavar="DIR/|FILE",
        help="where results go (default: beside the input); a file's name is that of the composite,"
        " or of the only result",
    )
    group.add_argument(
        "--save",
        type=_kinds,
        default=("composite",),
        metavar="LIST",
        help="any of mask,depth,composite (default composite)",
    )
    group.add_argument(
        "--format", choices=["jpg", "png", "tif", "webp"], help="of the composite (default: same)"
    )
    group.add_argument(
        "--quality",
        type=values.whole(1, 100),
        default=95,
        metavar="N",
        help="of JPEG and WebP (default 95)",
    )
    group.add_argument(
        "--map-bits",
        type=int,
        choices=[8, 16],
        help="bits of mask and depth (default: as the picture)",
    )
    group.add_argument("--json", action="store_true", help="one line of JSON per picture")
    group.add_argument("--quiet", action="store_true", help="no progress, no report")
    work = parser.add_argument_group("work")
    where = work.add_mutually_exclusive_group()
    where.add_argument(
        "--daemon", action="store_const", const="start", dest="where", help="start it when needed"
    )
    where.add_argument(
        "--no-daemon", action="store_const", const="here", dest="where", help="do the work here"
    )
    values.add_device(work, text="do the work here, on this device: cpu, cuda, cuda:1 ...")
    for task in ("matte", "depth"):
        work.add_argument(f"--{task}-model", metavar="NAME", help="see `defocus models list`")
    parser.set_defaults(where="auto")


def _kinds(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not words or set(words) - set(KINDS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of {', '.join(KINDS)}")
    return words
