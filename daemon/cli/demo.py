"""`defocus demo`: the main job on the sample portrait, and a before/after sheet."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.cli import argtypes

if TYPE_CHECKING:
    import argparse

    import numpy as np
    import numpy.typing as npt

GAP = 8
"""White pixels between the pictures of the sheet."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--out",
        type=argtypes.target,
        default=Path("demo-output"),
        metavar="DIR",
        help="default: demo-output",
    )
    parser.add_argument("--f-number", type=float, default=1.4, metavar="N", help="default: 1.4")


def run(args: argparse.Namespace) -> int:
    """Blur the sample, write mask, depth, composite and sheet, and print their paths."""
    from bokeh_core import picture, samples  # noqa: PLC0415
    from bokeh_core.errors import InputError, OutputError  # noqa: PLC0415
    from bokeh_core.presets import NATURAL, PortraitLens  # noqa: PLC0415
    from daemon.cli import backend, progress_bar, request  # noqa: PLC0415
    from daemon.setup import demo_files  # noqa: PLC0415

    portrait = picture.read(samples.ASTRONAUT)
    try:
        radius = PortraitLens().coc(args.f_number, max(portrait.width, portrait.height))
    except InputError as error:
        args.parser.error(str(error))
    args.out.mkdir(parents=True, exist_ok=True)
    for name in demo_files.NAMES:
        picture.check_writable(args.out / name)
    for path in demo_files.changed(args.out):
        raise OutputError(
            f"{path}: is not as the demo makes it, and stays: move it away, or give another --out"
        )
    asked = request.PhotoRequest(portrait, NATURAL.lens(radius), kinds=tuple(request.OUTPUT))
    with progress_bar.ProgressBar("sample portrait") as progress:
        made = backend.choose("auto", None).make(asked.job(), progress)
    matte, depth = made.planes["matte"], made.planes["depth"]
    composite = asked.composite(made.planes["composite"])
    results = (
        picture.Picture(matte[..., None], "linear"),
        picture.Picture(depth[..., None], "linear"),
        composite,
        picture.Picture(_sheet(portrait.pixels, composite.pixels, matte, depth)),
    )
    with tempfile.TemporaryDirectory(dir=args.out, prefix=demo_files.UNFINISHED) as folder:
        fresh = [Path(folder) / name for name in demo_files.NAMES]
        for path, result in zip(fresh, results, strict=True):
            picture.write(path, result)
        demo_files.remember(args.out, fresh)
        for path in fresh:
            print(path.replace(args.out.resolve() / path.name))
    return 0


def _sheet(
    before: npt.NDArray[np.uint8],
    after: npt.NDArray[np.uint8],
    matte: npt.NDArray[np.uint8],
    depth: npt.NDArray[np.uint8],
) -> npt.NDArray[np.uint8]:
    """Put before and after beside each other, and the two maps at half size in a column."""
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    height, width = before.shape[:2]
    half = (height - GAP) // 2
    maps = [cv2.resize(m, (width * half // height, half)) for m in (matte, depth)]
    column = np.full((height, maps[0].shape[1], 3), 255, np.uint8)
    column[:half] = maps[0][..., None]
    column[-half:] = maps[1][..., None]
    gap = np.full((height, GAP, 3), 255, np.uint8)
    return np.concatenate([before, gap, after, gap, column], axis=1)
