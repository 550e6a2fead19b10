"""What a user of GIMP waits for: its start, a preview, and the layers after OK.

    python -m tests.gimp.bench [trixie|forky] [megapixels]

A real GIMP on a virtual screen with somebody at its keyboard, and a daemon with all cores. Times
begin with the key or the change, and end with layers in the image or a picture in the preview.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from daemon.cli.bench_pipeline import photo
from daemon.light.connect import connect
from daemon.light.parameters import Parameters
from daemon.light.planes import Plane
from daemon.light.request import LayerRequest
from gimp_plugin.editor import GIMP
from tests.gimp import start_time
from tests.gimp.conftest import Gimp, home_with_plugin
from tests.gimp.rootfs import root_filesystem
from tests.reliability.sandbox import Sandbox, sandbox

if TYPE_CHECKING:
    import numpy as np

START_GOAL_MS, REST_GOAL_S = 20, 1.5
LOOKS = {
    "fit": ("preview after a change, fit", 0.5),
    "stroke": ("preview after a stroke, fit", 0.5),
    "full": ("visible part at 100 % after a change", 1.0),
}
"""What `bench_look.py` times -> its name and goal in seconds."""


def main(suite: str = "trixie", megapixels: float = 12.0) -> None:
    """Print the figures and what they consist of."""
    root = root_filesystem(suite)
    empty, ours = start_time.measure(root)
    print(
        f"start: {ours - empty:.0f} ms more than an empty plug-in (goal {START_GOAL_MS}); "
        f"empty {empty:.0f} ms, Bokeh {ours:.0f} ms",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as name, sandbox("daemon.worker.engine") as made:
        out = Path(name) / "out"
        out.mkdir()
        pixels = photo(megapixels)
        Image.fromarray(pixels).save(out / "photo.png", compress_level=1)
        made.start()
        gimp = Gimp(root, out, home_with_plugin(root, Path(name) / "home"), made.directory)
        gimp.desktop("bench_desk.py", "bench_gimp.py", timeout=560)
        _report(gimp, made, pixels)
        gimp.desktop("nobody_desk.py", "bench_look.py", timeout=560)
        _report_looks(gimp)


def _report(gimp: Gimp, made: Sandbox, pixels: np.ndarray) -> None:
    computed = _computed(made)[-1]
    total = gimp.read("layers")["there"] - gimp.read("pressed")
    blur, others = _stages(made, pixels)
    rest = total - computed + others
    print(
        f"from OK to layers, {pixels.size / 3e6:.0f} MP u8, analysis cached: {total:.2f} s; "
        f"blur {total - rest:.2f} s, everything else {rest:.2f} s (goal {REST_GOAL_S})\n"
        f"    of everything else: decode, encode and such {others:.2f} s, "
        f"socket, layers, window {total - computed:.2f} s (a blur again: {blur:.2f} s)",
        flush=True,
    )


def _report_looks(gimp: Gimp) -> None:
    times = gimp.read("times")
    width, height = times["shown"]
    for name, (what, goal) in LOOKS.items():
        first, finest = zip(*times[name], strict=True)
        size = f", {width} x {height} of the photo" if name == "full" else ""
        print(
            f"{what}{size}, window of 1200 x 800: median {statistics.median(finest):.2f} s, worst "
            f"{max(finest):.2f} s (goal {goal}); the first picture after "
            f"{statistics.median(first):.2f} s",
            flush=True,
        )


def _computed(made: Sandbox) -> list[float]:
    """Read from the worker's log how long each job took it, in order."""
    log = (made.root / "logs" / "worker.log").read_text()
    entries = [json.loads(line) for line in log.splitlines()]
    return [entry["seconds"] for entry in entries if entry["event"] == "job over"]


def _stages(made: Sandbox, pixels: np.ndarray) -> tuple[float, float]:
    """Do a like job once more from here: seconds of the blur, and of the worker's other stages."""
    height, width, _ = pixels.shape
    image = Plane(width, height, 3, "u8", "srgb", pixels.tobytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEFOCUS_RUNTIME_DIR", str(made.directory))
        client = connect(GIMP)
    timing = client.render(LayerRequest.of(image, Parameters(f_number=2.75))).timing
    client.close()
    return timing["render"], sum(timing.values()) - timing["render"]


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(float, sys.argv[2:]))
