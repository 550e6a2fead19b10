"""`defocus compare PHOTO... --ways default,paper`: quality and cost of ways side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from daemon.cli import argtypes

if TYPE_CHECKING:
    import argparse

    from bokeh_core.evaluation.comparison import Photo

SHEET = "sheet.jpg"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO")
    parser.add_argument(
        "--ways",
        default="default,paper",
        metavar="WAY,WAY",
        help="default, paper, bins, vitmatte, depth-anything, or"
        " NAME:matte=M:depth=D:refine=R:render=lens|bins, where M and D are models, weights of the"
        " paper's family, files or folders of maps, or Python files (default: default,paper)",
    )
    parser.add_argument(
        "--reference", metavar="NAME", help="the way that others are held against (the first)"
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="labelled pictures instead: their test part"
    )
    argtypes.add_folders(parser)
    parser.add_argument(
        "--limit", type=argtypes.whole(1), default=20, metavar="N", help="of --data (20)"
    )
    parser.add_argument(
        "--long-side",
        type=argtypes.whole(64, 8192),
        default=1024,
        metavar="PX",
        help="photos are reduced to this (1024)",
    )
    parser.add_argument(
        "--out",
        type=argtypes.target,
        metavar="DIR",
        help="write table.md, scores.csv and sheet.jpg here",
    )


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    from bokeh_core.errors import InputError  # noqa: PLC0415
    from bokeh_core.evaluation import comparison, ways  # noqa: PLC0415
    from daemon.cli import output_paths  # noqa: PLC0415
    from daemon.cli.progress_bar import ProgressBar  # noqa: PLC0415

    try:
        chosen = ways.read(args.ways)
        reference = args.reference or chosen[0].name
        if reference not in {way.name for way in chosen}:
            raise InputError(f"--reference {reference}: is not one of --ways")  # noqa: TRY301
        photos = _photos(args)
    except InputError as error:
        args.parser.error(str(error))
    if args.out is not None:
        inputs = output_paths.identities(photo.path for photo in photos)
        output_paths.refuse_input(args.out / SHEET, inputs)
        output_paths.make_ready(args.out / SHEET)
    with ProgressBar("compare") as bar:
        found = comparison.compare(
            photos,
            chosen,
            reference=reference,
            long_side=args.long_side,
            tick=lambda done: bar("ways", done),
        )
    labelled = any(photo.mask is not None for photo in photos)
    print(f"{len(photos)} photos, long side {args.long_side}; PSNR against {reference},")
    print(f"IoU, boundary and depth rank against {'labels' if labelled else reference}\n")
    print(comparison.as_markdown(found.rows))
    if args.out is not None:
        _write(args.out, found)
    return 0


def _photos(args: argparse.Namespace) -> list[Photo]:
    from bokeh_core.errors import InputError  # noqa: PLC0415
    from bokeh_core.evaluation.comparison import Photo  # noqa: PLC0415

    if (args.data is None) == (not args.photos):
        raise InputError("give PHOTO... or --data DIR")
    if args.data is None:
        if args.folders:
            raise InputError("--folders goes with --data")
        return [Photo(path) for path in args.photos]
    return _labelled(args)


def _labelled(args: argparse.Namespace) -> list[Photo]:
    import numpy as np  # noqa: PLC0415

    from bokeh_core.errors import InputError  # noqa: PLC0415
    from bokeh_core.evaluation.comparison import Photo  # noqa: PLC0415
    from bokeh_core.training import layouts  # noqa: PLC0415
    from bokeh_core.training.items import FileItem  # noqa: PLC0415

    photos: list[Photo] = []
    for item in layouts.find(args.data, args.folders):
        if len(photos) == args.limit:
            break
        if isinstance(item, FileItem) and item.held_out and "mask" in item.labels:
            found = item.read()
            mask = np.asarray(found.mask, np.float32) / np.float32(255)
            photos.append(Photo(item.photo, mask, found.disparity))
    if not photos:
        raise InputError(f"{args.data}: no picture with a mask in the test part")
    return photos


def _write(out: Path, found: object) -> None:
    from bokeh_core.evaluation import comparison  # noqa: PLC0415
    from bokeh_core.picture import Picture, write  # noqa: PLC0415

    assert isinstance(found, comparison.Comparison)
    out.mkdir(parents=True, exist_ok=True)
    (out / "table.md").write_text(comparison.as_markdown(found.rows) + "\n", encoding="utf-8")
    (out / "scores.csv").write_text(comparison.as_csv(found.rows), encoding="utf-8")
    write(out / SHEET, Picture(comparison.sheet(found), "srgb"), quality=90)
