"""Options that `photo` and `render` share: the lens from the command line, and where results go."""

from __future__ import annotations

import argparse
import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np

from bokeh_core.errors import InputError
from bokeh_core.lens import BinnedGaussian, Lens
from bokeh_core.picture import read
from daemon.cli.looks import DEFAULT, DISTANCE_M, FOCAL_MM, PRESETS, SENSOR_MM, portrait_coc

KINDS = ("mask", "depth", "composite")
_BY_HAND = {"focus", "focus_point", "max_coc", "kernel", "rotation"}


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
            default=default,
            metavar=text.upper(),
            help=f"of the lens that --f-number stands for (default {default:g} {text})",
        )
    look.add_argument("--rotation", type=float, metavar="DEGREES", help="of the aperture blades")
    look.add_argument("--kernel", type=Path, metavar="FILE", help="own aperture: a grey picture")
    _add_fields(look, Lens)
    _add_fields(parser.add_argument_group("look, style paper"), BinnedGaussian)


def _add_fields(group: argparse._ArgumentGroup, kind: type[Lens | BinnedGaussian]) -> None:
    for field in dataclasses.fields(kind):
        if field.name in _BY_HAND:
            continue
        option = "--" + field.name.replace("_", "-")
        about = field.metadata
        if field.type == "bool":
            group.add_argument(
                option, action=argparse.BooleanOptionalAction, default=None, help=about["help"]
            )
            continue
        limits = f"{about['low']:g} to {about['high']:g} {about['unit']}"
        group.add_argument(
            option,
            type=int if field.type == "int" else float,
            metavar="N",
            help=f"{about['help']} ({limits})",
        )


def _focus(text: str) -> dict[str, Any]:
    if text == "subject":
        return {}
    try:
        values = [float(word) for word in text.split(",")]
    except ValueError:
        values = []
    if not 1 <= len(values) <= 2 or not all(0.0 <= value <= 1.0 for value in values):
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y or DEPTH from 0 to 1, or 'subject'")
    return {"focus": values[0]} if len(values) == 1 else {"focus_point": tuple(values)}


def lens_of(args: argparse.Namespace, width: int, height: int) -> Lens | BinnedGaussian:
    """Make the lens that the options ask for, for a picture of this size.

    Raises
    ------
    InputError
        A value is out of range, or options contradict each other.
    """
    style = args.style or ("paper" if args.preset == "paper" else "lens")
    if style == "paper":
        if args.preset not in (None, "paper"):
            raise InputError(f"--preset {args.preset} is a lens; --style paper is not")
        _refuse_other(args, Lens, "lens")
        look = BinnedGaussian.published(width, height)
        return dataclasses.replace(look, **_given(args, BinnedGaussian))
    if args.preset == "paper":
        raise InputError("--preset paper is not a lens; leave out --style lens")
    _refuse_other(args, BinnedGaussian, "paper")
    return _lens(args, max(width, height))


def _refuse_other(args: argparse.Namespace, other: type[Lens | BinnedGaussian], style: str) -> None:
    ignored = [*_given(args, other), *(["f_number"] if args.f_number and style == "lens" else [])]
    if ignored:
        option = "--" + ignored[0].replace("_", "-")
        raise InputError(f"{option} is only for --style {style}")


def _lens(args: argparse.Namespace, long_side: int) -> Lens:
    chosen = {**DEFAULT, **PRESETS.get(args.preset, {}), **_given(args, Lens)}
    f_number = chosen.pop("f_number") if args.f_number is None else args.f_number
    if args.f_number is not None or args.max_coc is None:
        if args.max_coc is not None:
            raise InputError("--max-coc and --f-number both set the blur: give one of them")
        radius = portrait_coc(
            f_number,
            long_side,
            focal_mm=args.focal_length,
            distance_m=args.focus_distance,
            sensor_mm=args.sensor_width,
        )
        chosen["max_coc"] = min(radius, 1024.0)
    chosen.pop("f_number", None)
    focus = args.focus or {}
    if focus and args.keep_subject_sharp is None:
        chosen["keep_subject_sharp"] = False  # the focus is elsewhere: the subject may blur
    if args.rotation is not None:
        chosen["rotation"] = math.radians(args.rotation)
    if args.kernel is not None:
        chosen["kernel"] = read(args.kernel, min_side=1).linear().mean(axis=2, dtype=np.float64)
    return Lens(**chosen, **focus)


def _given(args: argparse.Namespace, kind: type[Lens | BinnedGaussian]) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(kind)]
    values = {name: getattr(args, name, None) for name in names}
    return {
        name: value
        for name, value in values.items()
        if value is not None and name not in _BY_HAND - {"max_coc"}
    }


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the options for results and for how the work is done."""
    group = parser.add_argument_group("results")
    group.add_argument(
        "--out", type=Path, metavar="DIR|FILE", help="where results go (default: beside the input)"
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
        "--quality", type=_quality, default=95, metavar="N", help="of JPEG and WebP (default 95)"
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
    work.add_argument("--device", default="auto", help="for work done here: cpu, cuda ... (auto)")
    for task in ("matte", "depth"):
        work.add_argument(
            f"--{task}-model", default="", metavar="NAME", help="see `defocus models list`"
        )
    parser.set_defaults(where="auto")


def _kinds(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not words or set(words) - set(KINDS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of {', '.join(KINDS)}")
    return words


def _quality(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 to 100")
    return int(text)
