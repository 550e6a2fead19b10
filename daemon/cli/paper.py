"""`defocus paper photo.jpg`: the paper's whole algorithm, with every picture between."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from daemon.cli import argtypes

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    from daemon.cli import options  # noqa: PLC0415

    parser.epilog = (
        "The paper is that of docs/references.md. Without models of its family (defocus train "
        "portrait, defocus train depth) the network that defocus comes with takes their place."
    )
    parser.add_argument("photo", type=Path, metavar="PHOTO")
    options.add_models(parser)
    parser.add_argument(
        "--strengths",
        choices=("ours", "notebook"),
        default="ours",
        help="the Gaussians: ours (the paper names none), or those of its authors' notebook",
    )
    argtypes.add_device(parser)
    parser.add_argument(
        "--out", type=argtypes.target, metavar="DIR", help="of the pictures (default: PHOTO_paper/)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the pictures, numbered, and two sheets."""
    from bokeh_core.binned_gaussian import BinnedGaussian  # noqa: PLC0415
    from bokeh_core.evaluation import paper_steps  # noqa: PLC0415
    from bokeh_core.networks import registry, tasks  # noqa: PLC0415
    from bokeh_core.picture import Picture, read, write  # noqa: PLC0415
    from daemon.cli import options, output_paths  # noqa: PLC0415
    from daemon.cli.progress_bar import ProgressBar  # noqa: PLC0415

    options.open_models(args)
    models = {
        "matte": args.matte_model or registry.chosen("matte"),
        "depth": args.depth_model or registry.chosen("depth"),
    }
    tasks.check(models["matte"], "matte")
    tasks.check(models["depth"], "depth")
    rgb = read(args.photo).linear()
    height, width = rgb.shape[:2]
    make = BinnedGaussian.usual if args.strengths == "ours" else BinnedGaussian.notebook
    out = args.out or args.photo.with_name(f"{args.photo.stem}_paper")
    output_paths.make_ready(out / "all.jpg")
    with ProgressBar(args.photo.name) as bar:
        steps = paper_steps.walk(
            rgb[..., :3],
            make(width, height),
            matte_model=models["matte"],
            depth_model=models["depth"],
            device=args.device,
            progress=bar,
        )
    figure = [step for step in steps if step.name in paper_steps.FIGURE]
    made = {f"{number:02d}-{step.name}.png": step.pixels for number, step in enumerate(steps, 1)}
    made["border-step.jpg"] = paper_steps.sheet(figure)
    made["all.jpg"] = paper_steps.sheet(steps)
    for name in made:
        output_paths.refuse_input(out / name, output_paths.identities([args.photo]))
    for name, pixels in made.items():
        shaped = pixels if pixels.ndim == 3 else pixels[..., None]
        write(out / name, Picture(shaped, "srgb"), quality=90)
    print(f"{len(steps)} pictures and two sheets: {out}")
    return 0
