"""Where mask and depth of a photo come from: a file, the photo's own, or the networks."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bokeh_core.errors import InputError
from bokeh_core.lens import Lens
from bokeh_core.picture import PhoneMaps, open_map, phone_maps
from daemon.cli import argtypes

if TYPE_CHECKING:
    from bokeh_core.binned_gaussian import BinnedGaussian
    from bokeh_core.picture import Picture, Scene
    from bokeh_core.picture.transfer import Float32

Choice = Literal["own", "estimate"] | Path
FLAT = 1 / 255


def add(parser: argparse.ArgumentParser, *, files: bool) -> None:
    """Add the options of the maps; `files`: the mask may come from a file."""
    maps = parser.add_argument_group(
        "maps", "of the photo's proportions; what is left out is the phone's own, else estimated"
    )
    words = "own|estimate|FILE" if files else "own|estimate"
    maps.add_argument(
        "--mask",
        type=_choice if files else _no_file,
        metavar=words,
        help="the portrait matte inside the photo's file, the networks'"
        + (", or a grey picture, white = subject" if files else ""),
    )
    maps.add_argument(
        "--depth",
        type=_choice,
        metavar="own|estimate|FILE",
        help="the depth map inside the photo's file (the default where there is one), the"
        " networks', or a grey picture, white = near",
    )
    maps.add_argument(
        "--depth-inverted",
        action="store_true",
        help="in the file of --depth, black is near (a note says when it looks so)",
    )


def _choice(text: str) -> Choice:
    return text if text in ("own", "estimate") else argtypes.path(text)  # type: ignore[return-value]


def _no_file(text: str) -> Choice:
    if text not in ("own", "estimate"):
        raise argparse.ArgumentTypeError("a mask's file is for `defocus render PHOTO --mask M`")
    return text  # type: ignore[return-value]


def files_of(args: argparse.Namespace) -> list[Path]:
    """Return the files that maps are read from."""
    return [choice for choice in (args.mask, args.depth) if isinstance(choice, Path)]


def check(args: argparse.Namespace) -> None:
    """Refuse options of the maps that suit no picture.

    Raises
    ------
    InputError
        One depth for several photos, or a turned depth that is not given.
    """
    if isinstance(args.depth, Path) and len(args.sources) > 1:
        raise InputError(f"--depth {args.depth}: one map cannot belong to several photos")
    if args.depth_inverted and not isinstance(args.depth, Path):
        raise InputError("--depth-inverted needs --depth FILE")


def rules(mask: Choice | None, lens: Lens | BinnedGaussian) -> bool:
    """Tell whether the mask is somebody's decision, which rules at every depth.

    A file is, as what is painted in an editor; the phone's own is a guess as the networks' is. The
    paper's algorithm takes the subject from the mask alone: its depth decides nothing there.
    """
    return isinstance(mask, Path) and isinstance(lens, Lens)


@dataclass(frozen=True, eq=False)
class Maps:
    """The maps that are not estimated."""

    planes: dict[Literal["matte", "depth"], Float32] = field(default_factory=dict)
    scene: Scene | None = None
    notes: tuple[str, ...] = ()


def maps_of(args: argparse.Namespace, source: Path, picture: Picture) -> Maps:
    """Read the maps that the options name, or that the photo's file has.

    Raises
    ------
    InputError
        A file cannot be used, or `own` is asked for and the photo has none.
    """
    size = (picture.width, picture.height)
    planes: dict[Literal["matte", "depth"], Float32] = {}
    notes: list[str] = []
    scene = None
    if isinstance(args.mask, Path):
        read = open_map(args.mask, size)
        planes["matte"] = read.values
        notes += read.notes
    if isinstance(args.depth, Path):
        read = open_map(args.depth, size)
        planes["depth"] = 1 - read.values if args.depth_inverted else read.values
        notes += [*read.notes, *_flat(args.depth, read.values)]
    own_depth = args.depth == "own" or (args.depth is None and not args.depth_model)
    own_matte = args.mask == "own" or (
        args.mask is None and args.subject == "main" and not args.matte_model
    )
    found = phone_maps(source, picture) if own_depth or own_matte else PhoneMaps()
    if own_depth:
        _refuse_missing(args.depth, found.depth, found, "depth map")
        notes += found.depth_notes
        if found.depth is not None:
            planes["depth"], scene = found.depth, found.scene
    if own_matte and args.subject != "none":
        _refuse_missing(args.mask, found.matte, found, "portrait matte")
        notes += found.matte_notes
        if found.matte is not None:
            planes["matte"] = found.matte
    return Maps(planes, scene, tuple(notes))


def _refuse_missing(
    asked: Choice | None, plane: Float32 | None, found: PhoneMaps, what: str
) -> None:
    if asked == "own" and plane is None:
        why = f": {found.notes[0]}" if found.notes else ""
        raise InputError(f"has no {what} of its own{why}")


def _flat(path: Path, depth: Float32) -> list[str]:
    if float(depth.max() - depth.min()) >= FLAT:
        return []
    return [f"{path}: the depth is the same everywhere, so nothing is blurred by it"]
