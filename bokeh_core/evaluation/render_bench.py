"""`defocus bench render`: quality against a thin lens, time and memory of every way of blurring."""

from __future__ import annotations

import dataclasses
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from bokeh_core.evaluation.render_methods import METHODS, TIMED
from bokeh_core.evaluation.render_metrics import Regions, Scores, display, score
from bokeh_core.evaluation.render_profile import profile
from bokeh_core.evaluation.render_speed import looks, measure
from bokeh_core.evaluation.scenes import SCENES
from bokeh_core.evaluation.thin_lens import Inputs, Scene, photograph, pinhole
from bokeh_core.lens import Lens
from bokeh_core.picture import from_linear, to_linear

if TYPE_CHECKING:
    import argparse

FloatImage = npt.NDArray[np.float32]
COC_SHARE = 1.0 / 15.0
"""`max_coc` as a share of the picture's width: 48 px at 720."""


@dataclass(frozen=True)
class Case:
    """One scene and focus with its truth."""

    scene: Scene
    focus_on: str
    inputs: Inputs
    lens: Lens
    truth: FloatImage


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--width", type=int, default=480, help="scene width in px (default 480)")
    parser.add_argument("--seeds", type=int, default=1, help="variants of each scene (default 1)")
    parser.add_argument("--samples", type=int, default=256, help="lens points of the truth")
    parser.add_argument("--clipped", action="store_true", help="feed 8-bit clipped pictures")
    parser.add_argument(
        "--megapixels", type=float, default=12.0, help="size for time and memory; 0 = skip"
    )
    parser.add_argument("--no-quality", action="store_true", help="time and memory only")
    parser.add_argument(
        "--timed", action="append", choices=TIMED, help="time this way only (may be repeated)"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="the least time of so many counts (default 3)"
    )
    parser.add_argument(
        "--presets", action="store_true", help="print only what every ready-made look takes"
    )
    parser.add_argument(
        "--profile", action="store_true", help="print only what every part of the renderer takes"
    )
    parser.add_argument("--sheets", type=Path, help="write a picture sheet per scene here")


def run(args: argparse.Namespace) -> int:
    """Print the tables; returns the exit code."""
    if args.profile:
        profile(args.megapixels)
        return 0
    if args.presets:
        _presets(args.megapixels, args.rounds)
        return 0
    if not args.no_quality:
        _quality(args)
    if args.megapixels > 0:
        _speed(args.megapixels, args.timed or list(TIMED), args.rounds)
    return 0


def _quality(args: argparse.Namespace) -> None:
    names = [field.name for field in dataclasses.fields(Scores)]
    print("scene        focus   method     " + "".join(f"{name:>9s}" for name in names))
    rows: dict[tuple[str, str], list[Scores]] = {}
    for case in _cases(args.width, args.seeds, args.samples):
        inputs = _clipped(case.inputs) if args.clipped else case.inputs
        results = {name: method(inputs, case.lens) for name, method in METHODS.items()}
        regions = Regions.of(case.scene, case.inputs, case.lens)
        for name, result in results.items():
            scores = score(result, case.truth, regions)
            rows.setdefault((case.focus_on, name), []).append(scores)
            _print_row(case.scene.name, case.focus_on, name, dataclasses.astuple(scores))
        if args.sheets:
            _write_sheet(args.sheets, case, results)
    print("-" * 32)
    for (focus_on, name), scores_of in rows.items():
        table = np.array([dataclasses.astuple(scores) for scores in scores_of])
        table[:, names.index("halo")] = np.abs(table[:, names.index("halo")])
        table[:, names.index("energy")] = np.abs(table[:, names.index("energy")])
        _print_row("mean", focus_on, name, tuple(np.nanmean(table, axis=0)))
    print(
        "PSNR in dB of display values: whole picture, out of focus, near depth edges, hair band; "
        "halo and banding in 1/255; energy = relative error of all light.\n"
    )


def _cases(width: int, seeds: int, samples: int) -> list[Case]:
    cases = []
    max_coc = width * COC_SHARE
    for make in SCENES:
        for seed in range(seeds):
            scene = make(width, math.ceil(max_coc) + 4, seed)
            inputs = pinhole(scene)
            subject = next(layer.disparity for layer in scene.layers if layer.subject)
            for focus_on, focus in (("subject", subject), ("back", scene.layers[0].disparity)):
                print(f"\rsampling {scene.name}, {focus_on} ", end="", file=sys.stderr, flush=True)
                truth = photograph(scene, max_coc=max_coc, focus=focus, samples=samples)
                lens = Lens(focus=focus, max_coc=max_coc)
                cases.append(Case(scene, focus_on, inputs, lens, truth))
    print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    return cases


def _clipped(inputs: Inputs) -> Inputs:
    """Round to 8-bit sRGB, which cuts lamps off at 1."""
    return dataclasses.replace(inputs, rgb=to_linear(from_linear(inputs.rgb, np.uint8)))


def _print_row(scene: str, focus_on: str, method: str, values: tuple[float, ...]) -> None:
    *decibels, halo, banding, energy = values
    figures = "".join(f"{value:9.1f}" for value in decibels)
    print(
        f"{scene:12s} {focus_on:7s} {method:10s} {figures}{halo:+9.2f}{banding:9.3f}{energy:+9.4f}"
    )


def _write_sheet(folder: Path, case: Case, results: dict[str, FloatImage]) -> None:
    """Truth, ours and the paper's side by side, as a JPEG."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [case.truth, results["ours"], results["paper"]]
    strip = np.hstack([display(picture) for picture in pictures])
    path = folder / f"{case.scene.name}-{case.focus_on}.jpg"
    codes = np.round(strip[..., ::-1] * 255).astype(np.uint8)
    cv2.imwrite(str(path), codes, [cv2.IMWRITE_JPEG_QUALITY, 88])


def _speed(megapixels: float, methods: list[str], rounds: int) -> None:
    title = f"{megapixels:g} MP, max_coc 48 px"
    print(f"{title:24}    s/MP   / five Gaussians  CPU s/MP   / five   MB before   MB at most")
    for name in methods:
        cost = measure(name, megapixels, rounds)
        each, ratio = cost.per_megapixel, cost.ratio
        print(
            f"{name:24}{each.wall:8.3f}{ratio.wall:18.2f}{each.processor:10.3f}"
            f"{ratio.processor:9.2f}{cost.held_megabytes:12.0f}{cost.peak_megabytes:13.0f}"
        )
    print("The paper's five full-resolution Gaussians (OpenCV) are timed in the same process.")


def _presets(megapixels: float, rounds: int) -> None:
    title = f"{megapixels:g} MP"
    print(f"{title:12}    s/MP   / natural  CPU s/MP   / natural")
    costs = looks(megapixels, rounds)
    for name, each in costs.items():
        ratio = each.over(costs["natural"])
        print(
            f"{name:12}{each.wall:8.3f}{ratio.wall:12.2f}{each.processor:10.3f}"
            f"{ratio.processor:12.2f}"
        )
