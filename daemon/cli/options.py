"""Options that `photo` and `render` share: the lens from the command line, and where results go."""

from __future__ import annotations

import argparse
import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from bokeh_core.binned_gaussian import BinnedGaussian
from bokeh_core.errors import InputError
from bokeh_core.lens import Lens
from bokeh_core.presets import LOOKS, NATURAL, PAPERS, PortraitLens
from daemon.cli import argtypes, maps
from daemon.cli.aperture_file import kernel_in
from daemon.cli.output_paths import KINDS
from daemon.light import own_presets
from daemon.light.errors import PluginError
from daemon.light.parameters import Parameters
from daemon.wire.planes import Refine, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bokeh_core.picture import Scene

_BY_HAND = {"focus", "focus_point", "max_coc", "kernel", "rotation"}
_CAMERA = ("f_number", "focal_length", "focus_distance", "sensor_width")
_IN_A_KERNEL = ("blades", "curvature", "ring")
PORTRAIT = PortraitLens()


def add_lens(parser: argparse.ArgumentParser) -> None:
    """Add the options of the blur; most come from the fields of `Lens`."""
    look = parser.add_argument_group("look")
    look.add_argument(
        "--preset",
        type=_preset,
        metavar="NAME",
        help=f"a look: {', '.join((*LOOKS, *PAPERS))}, or one of your own (defocus presets list)",
    )
    look.add_argument(
        "--style", choices=["lens", "paper"], help="a lens, or the paper's Gaussian bins"
    )
    look.add_argument(
        "--f-number",
        type=float,
        metavar="N",
        help=f"aperture; smaller blurs more (default {NATURAL.f_number:g})",
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
        choices=get_args(Subject),
        default="main",
        help="who is the subject: the main people, where there are none the main animal (default);"
        " everybody; all animals; who is at the focus point; or nobody",
    )
    look.add_argument(
        "--refine",
        choices=get_args(Refine),
        help="the network's matte at full size: along edges and hair (default), along edges, by the"
        " paper's border step (the default of its presets), or plainly enlarged",
    )
    look.add_argument("--max-coc", type=float, metavar="PX", help="blur radius, not --f-number")
    for name, default, text in (
        ("focal-length", PORTRAIT.focal_mm, "mm"),
        ("focus-distance", PORTRAIT.distance_m, "m"),
        ("sensor-width", PORTRAIT.sensor_mm, "mm"),
    ):
        look.add_argument(
            f"--{name}",
            type=float,
            metavar=text.upper(),
            help=f"of the lens that --f-number stands for (default {default:g} {text})",
        )
    look.add_argument(
        "--rotation", type=argtypes.degrees, metavar="DEGREES", help="of the aperture blades"
    )
    look.add_argument(
        "--kernel",
        type=Path,
        metavar="FILE",
        help="own aperture: a picture of a bright shape on black",
    )
    _add_fields(look, Lens, vars(NATURAL.lens(0.0)))
    paper = vars(BinnedGaussian.usual(1000, 1000))
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


def _preset(text: str) -> str | Parameters:
    """Return the name of a ready-made look, or the settings of one of the user's own."""
    if text in LOOKS or text in PAPERS:
        return text
    try:
        own = own_presets.load()
    except PluginError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if text not in own:
        names = ", ".join((*LOOKS, *PAPERS, *own))
        raise argparse.ArgumentTypeError(f"invalid choice: {text!r} (choose from {names})")
    return Parameters(based_on=text, **own[text])


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
    if args.subject == "none" and args.mask not in (None, "estimate"):
        raise InputError("--mask has no effect beside --subject none")
    _check_models(args, look)
    if args.where == "start" and args.device is not None:
        raise InputError(
            f"--device is for work done here; `defocus daemon start --device {args.device}`"
            " sets the daemon's"
        )


def refine_of(args: argparse.Namespace) -> Refine:
    """Say how the matte is brought to full size: as asked, else as the preset's paper does."""
    given: Refine | None = args.refine
    ready = isinstance(args.preset, str) and args.preset in PAPERS
    return given or ("border" if ready else "hair")


def _check_models(args: argparse.Namespace, look: Lens | BinnedGaussian) -> None:
    """Refuse the model of a map that is not estimated; a mask that rules is compared with one."""
    if args.depth not in (None, "estimate"):
        _refuse(args, ["depth_model"], "has no effect beside --depth")
        if args.subject == "none":
            _refuse(args, ["matte_model"], "has no effect beside --depth and --subject none")
    if args.mask not in (None, "estimate") and not maps.rules(args.mask, look):
        _refuse(args, ["matte_model", "refine"], "has no effect beside --mask")


def lens_of(
    args: argparse.Namespace, width: int, height: int, *, scene: Scene | None = None
) -> Lens | BinnedGaussian:
    """Make the lens that the options ask for, for a picture of this size.

    Where the distances in the scene are known, `--f-number` is that of a full-frame lens with the
    photo's angle of view; otherwise, and in presets, of the portrait lens that the options tell.

    Raises
    ------
    InputError
        A value is out of range, an option is of the other style, or two contradict each other.
    """
    preset = args.preset
    own = isinstance(preset, Parameters)
    name = preset.based_on if own else preset
    paper = preset.style == "paper" if own else preset in PAPERS
    style = args.style or ("paper" if paper else "lens")
    if style == "paper":
        if preset is not None and not paper:
            raise InputError(f"--preset {name} is a lens; --style paper is not")
        _refuse(args, [*_names(Lens), *_CAMERA], "is only for --style lens")
        return dataclasses.replace(_bins(preset, width, height), **_given(args, BinnedGaussian))
    if paper:
        raise InputError(f"--preset {name} is not a lens; leave out --style lens")
    _refuse(args, _names(BinnedGaussian), "is only for --style paper")
    if args.max_coc is not None:
        _refuse(args, _CAMERA, "and --max-coc both set the blur: give one of them")
    if args.kernel is not None:
        _refuse(args, _IN_A_KERNEL, "has no effect beside --kernel")
    return _lens(args, max(width, height), scene)


def _refuse(args: argparse.Namespace, names: Iterable[str], why: str) -> None:
    for name in names:
        if getattr(args, name, None) is not None:
            raise InputError(f"--{name.replace('_', '-')} {why}")


def _bins(preset: str | Parameters | None, width: int, height: int) -> BinnedGaussian:
    if isinstance(preset, Parameters):
        return BinnedGaussian(**_fields(preset, width, height))
    return PAPERS[preset or "paper"](width, height)


def _look(preset: str | Parameters | None) -> tuple[Lens, float]:
    """Give a preset's lens, whose blur is yet to be set, and its f-number."""
    if isinstance(preset, Parameters):
        return Lens(**_fields(preset, 1, 1)), preset.f_number
    ready = LOOKS[preset or "natural"]
    return ready.lens(0.0), ready.f_number


def _fields(own: Parameters, width: int, height: int) -> dict[str, Any]:
    return {name: value for name, value in own.lens(width, height).items() if name != "kind"}


def _lens(args: argparse.Namespace, long_side: int, scene: Scene | None) -> Lens:
    look, usual_f_number = _look(args.preset)
    chosen = {**_given(args, Lens), **(args.focus or {})}
    physical = scene is not None and all(getattr(args, name) is None for name in _CAMERA[1:])
    radius = 0.0
    if scene is not None and physical and args.f_number is not None:
        radius = scene.coc(args.f_number, long_side)
    elif args.max_coc is None:
        named = {
            "focal_mm": args.focal_length,
            "distance_m": args.focus_distance,
            "sensor_mm": args.sensor_width,
        }
        given = {name: value for name, value in named.items() if value is not None}
        f_number = usual_f_number if args.f_number is None else args.f_number
        radius = dataclasses.replace(PORTRAIT, **given).coc(f_number, long_side)
    if args.focus and args.keep_subject_sharp is None:
        chosen["keep_subject_sharp"] = False  # the focus is elsewhere: the subject may blur
    if args.rotation is not None:
        chosen["rotation"] = math.radians(args.rotation)
    if args.kernel is not None:
        chosen |= {name: getattr(Lens(), name) for name in _IN_A_KERNEL}  # not the preset's
        chosen["kernel"] = kernel_in(args.kernel)
    elif args.blades is not None:
        chosen["kernel"] = None  # not the preset's
    elif look.kernel is not None:
        _refuse(args, _IN_A_KERNEL, "has no effect beside the aperture picture of the preset")
    lens = dataclasses.replace(look, **chosen)
    return lens if args.max_coc is not None else lens.with_disc(radius)


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
    group = add_results(parser)
    group.add_argument(
        "--out",
        type=argtypes.place,
        metavar="DIR/|FILE",
        help="where results go (default: beside the input); a file's name is that of the composite,"
        " or of the only result",
    )
    group.add_argument(
        "--overwrite",
        action="store_true",
        help="let --out FILE replace a file that is there; no input ever is",
    )
    group.add_argument(
        "--force", action="store_true", help="take results of an earlier run for photos too"
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
    argtypes.add_device(work, text="do the work here, on this device: cpu, cuda, cuda:1 ...")
    add_models(work)
    parser.set_defaults(where="auto")


def add_results(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add what decides the files of a picture, but not their places; gives the group."""
    group = parser.add_argument_group("results")
    group.add_argument(
        "--save",
        type=_kinds,
        default=("composite",),
        metavar="LIST",
        help="any of mask,depth,composite (default composite)",
    )
    group.add_argument(
        "--format",
        type=_format,
        choices=["jpg", "png", "tif", "webp", "heic", "avif", "jxl"],
        help="of the composite (default: the input's where it can hold the result)",
    )
    group.add_argument(
        "--quality",
        type=argtypes.whole(1, 100),
        default=95,
        metavar="N",
        help="of JPEG, WebP, HEIC, AVIF and JPEG XL (default 95)",
    )
    group.add_argument(
        "--map-bits",
        type=int,
        choices=[8, 16],
        help="bits of mask and depth (default: as the picture)",
    )
    return group


def _format(text: str) -> str:
    """Read the name of a format as people write it: `JPEG`, `.tiff`."""
    name = text.lower().removeprefix(".")
    return {"jpeg": "jpg", "tiff": "tif", "heif": "heic"}.get(name, name)


def add_models(group: argparse._ActionsContainer) -> None:
    """Add the networks' names."""
    for task in ("matte", "depth"):
        group.add_argument(
            f"--{task}-model",
            type=argtypes.model,
            metavar="NAME|FILE",
            help="see `defocus models list`; or a .safetensors file of `defocus train` (the work"
            " is then done here)",
        )


def open_models(args: argparse.Namespace) -> bool:
    """Open the weights files that are named; whether there are any: they are for this process.

    Raises
    ------
    ModelMissing, ModelCorrupt
        A file cannot be used.
    InputError
        The work was to be the daemon's.
    """
    found = False
    tasks: tuple[tuple[str, Literal["portrait", "depth"]], ...] = (
        ("matte_model", "portrait"),
        ("depth_model", "depth"),
    )
    for option, task in tasks:
        name = getattr(args, option)
        if name is not None and name.endswith(".safetensors"):
            from bokeh_core.networks import registry  # noqa: PLC0415 - torch: seconds

            setattr(args, option, registry.open_file(Path(name), task).name)
            found = True
    if found and getattr(args, "where", "here") == "start":
        raise InputError("the daemon opens no files: `defocus models add FILE` gives one a name")
    return found


def _kinds(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not words or set(words) - set(KINDS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of {', '.join(KINDS)}")
    return words
