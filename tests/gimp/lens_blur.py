"""Our lens beside GIMP's own `gegl:lens-blur`, in a real GIMP: seconds and likeness to a thin lens.

    python -m tests.gimp.lens_blur [--suite forky] [--megapixels 12] [--no-quality]

GIMP gets the picture, and as its blur map the exact circle of confusion; the matte it knows nothing
of. Figures are PSNR in dB: whole, out of focus, near depth edges, hair.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bokeh_core.evaluation.render_methods import ours
from bokeh_core.evaluation.render_metrics import Regions, score
from bokeh_core.evaluation.render_speed import large
from bokeh_core.evaluation.scenes import SCENES
from bokeh_core.evaluation.thin_lens import Inputs, Scene, photograph, pinhole
from bokeh_core.lens import Lens
from bokeh_core.picture import from_linear, to_linear
from tests.gimp.rootfs import root_filesystem
from tests.rootfs import Root, UnavailableError

WIDTH, SAMPLES = 360, 150
ROUNDS = 2
WIDE = 48.0
"""Pixels: the wider of the two blurs that are timed, as far as the circles of confusion reach."""
SCRIPT = """
import json, time
def load(path):
    return Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))
seconds = {{}}
for path, radius, rounds in {jobs!r}:
    spent = []
    for _ in range(rounds):
        image, map_image = load(path + ".png"), load(path + "-map.png")
        layer = image.get_layers()[0]
        blur_map = Gimp.Layer.new_from_drawable(map_image.get_layers()[0], image)
        image.insert_layer(blur_map, None, 1)
        look = Gimp.DrawableFilter.new(layer, "gegl:lens-blur", "lens blur")
        settings = look.get_config()
        settings.set_property("radius", radius)
        settings.set_property("linear-mask", True)
        look.set_aux_input("aux", blur_map)
        look.update()
        began = time.monotonic()
        layer.merge_filter(look)
        spent.append(time.monotonic() - began)
    image.remove_layer(blur_map)
    result = Gio.File.new_for_path(path + "-result.png")
    Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, result, None)
    seconds[path] = min(spent)
with open({done!r}, "w") as out:
    json.dump({{"seconds": seconds, "version": Gimp.version()}}, out)
"""


@dataclass(frozen=True)
class Case:
    """A picture and the lens it is blurred with."""

    name: str
    scene: Scene
    inputs: Inputs
    lens: Lens


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", default="trixie", help="Debian's, which GIMP comes from")
    parser.add_argument("--megapixels", type=float, default=12.0)
    parser.add_argument("--no-quality", action="store_true", help="seconds only")
    args = parser.parse_args()
    try:
        root = root_filesystem(args.suite)
    except UnavailableError as error:
        print(f"no real GIMP here: {error}", file=sys.stderr)
        return 1
    cases = [] if args.no_quality else _cases()
    inputs, lens = large(args.megapixels)
    inputs = Inputs(np.minimum(inputs.rgb, 1.0), inputs.depth, inputs.matte)
    with tempfile.TemporaryDirectory(prefix="defocus-lens-blur-") as name:
        place = Path(name)
        timed = [lens, replace(lens, max_coc=lens.max_coc * WIDE / _radius(lens, inputs))]
        large_at = [str(place / f"large-{number}") for number in range(len(timed))]
        jobs = [_ordered(str(place / case.name), case.inputs, case.lens, 1) for case in cases]
        jobs += [
            _ordered(path, inputs, each, ROUNDS) for path, each in zip(large_at, timed, strict=True)
        ]
        done = _in_gimp(root, place, jobs)
        for case in cases:
            _compare(case, place)
    for path, each in zip(large_at, timed, strict=True):
        mine, theirs = _quickest(inputs, each), done["seconds"][path]
        print(
            f"\n{args.megapixels:g} MP, CoC up to {_radius(each, inputs):.0f} px, in one run:\n"
            f"GIMP {done['version']}, gegl:lens-blur {theirs:.2f} s\n"
            f"ours {mine:.2f} s, {mine / theirs:.2f} of that",
            flush=True,
        )
    return 0


def _cases() -> list[Case]:
    """Make the benchmark's scenes, without lights above white: a PNG cannot hold them."""
    found = []
    for make in SCENES:
        scene = make(WIDTH, math.ceil(WIDTH / 15.0) + 4, 0)
        layers = (replace(each, rgb=np.minimum(each.rgb, 1.0)) for each in scene.layers)
        scene = replace(scene, layers=tuple(layers))
        subject = next(layer.disparity for layer in scene.layers if layer.subject)
        for name, focus in (("subject", subject), ("back", scene.layers[0].disparity)):
            lens = Lens(focus=focus, max_coc=WIDTH / 15.0)
            found.append(Case(f"{make.__name__}-{name}", scene, pinhole(scene), lens))
    return found


def _radius(lens: Lens, inputs: Inputs) -> float:
    return float(np.abs(lens.coc(inputs.depth)).max())


def _ordered(path: str, inputs: Inputs, lens: Lens, rounds: int) -> tuple[str, float, int]:
    """Write a picture with its blur map for GIMP."""
    radius = _radius(lens, inputs)
    picture = np.asarray(from_linear(inputs.rgb, np.uint16))[..., ::-1]
    blur_map = np.round(np.abs(lens.coc(inputs.depth)) / radius * 65535).astype(np.uint16)
    cv2.imwrite(f"{path}.png", np.ascontiguousarray(picture))
    cv2.imwrite(f"{path}-map.png", blur_map)
    return path, radius, rounds


def _in_gimp(root: Root, place: Path, jobs: list[tuple[str, float, int]]) -> dict[str, Any]:
    done = place / "done.json"
    script = SCRIPT.format(jobs=jobs, done=str(done))
    words = ["gimp-console", "-i", "--no-data", "--batch-interpreter", "python-fu-eval"]
    ended = root.run([*words, "-b", script, "--quit"], visible=[place], timeout=1200)
    if not done.exists():
        sys.exit(f"GIMP did not blur: {(ended.stdout + ended.stderr)[-1500:]}")
    return dict(json.loads(done.read_text()))


def _compare(case: Case, place: Path) -> None:
    lens, inputs = case.lens, case.inputs
    assert lens.focus is not None
    truth = photograph(case.scene, max_coc=lens.max_coc, focus=lens.focus, samples=SAMPLES)
    regions = Regions.of(case.scene, inputs, lens)
    codes = cv2.imread(str(place / f"{case.name}-result.png"), cv2.IMREAD_UNCHANGED)
    theirs = to_linear(np.ascontiguousarray(codes[..., 2::-1]))
    for method, result in (("GIMP", theirs), ("ours", ours(inputs, lens))):
        found = score(result, truth, regions)
        figures = f"{found.whole:8.1f}{found.blurred:9.1f}{found.edges:8.1f}{found.hair:8.1f}"
        print(f"{case.name:18}{method:6}{figures}", flush=True)


def _quickest(inputs: Inputs, lens: Lens) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        ours(inputs, lens)
        times.append(time.monotonic() - began)
    return min(times)


if __name__ == "__main__":
    sys.exit(main())
