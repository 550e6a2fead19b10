"""The first look at a photo by torch and by onnxruntime, by turns in one process on the CPU."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import torch

from bokeh_core import onnx_maps, picture, samples
from bokeh_core.networks import inference, onnx_export, registry
from bokeh_core.picture.transfer import to_linear

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--model", default=registry.DEFAULT, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=20, help="looks of each, by turns (20)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of each")


def run(args: argparse.Namespace) -> int:
    """Print medians of the clock's and of the processor's seconds, and their ratio."""
    photo = np.ascontiguousarray(picture.read(samples.ASTRONAUT).pixels[..., :3])
    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        onnx_export.write(args.model, file)
        look = onnx_maps.load(file, args.threads)

        def by_torch() -> None:
            rgb = to_linear(photo)
            inference.predict(rgb, model=args.model, device="cpu", closer=False)

        rows = [(_timed(by_torch), _timed(lambda: look(photo))) for _ in range(args.rounds + 2)][2:]
        start = [(_started(_TORCH, args.model), _started(_ONNX, str(file))) for _ in range(3)]
    print(f"first look at {photo.shape[1]} x {photo.shape[0]}, {args.threads} threads each,")
    print(f"{args.rounds} by turns in one process, medians:")
    _print(rows)
    print("from the start of a process to the end of its first look, 3 by turns, medians:")
    _print(start)
    return 0


_TORCH = """
import sys
from bokeh_core import picture, samples
from bokeh_core.networks import inference
rgb = picture.read(samples.ASTRONAUT).linear()
inference.predict(rgb, model=sys.argv[1], device="cpu", closer=False)
"""

_ONNX = """
import sys
from bokeh_core import onnx_maps, picture, samples
onnx_maps.load(sys.argv[1])(picture.read(samples.ASTRONAUT).pixels[..., :3])
"""

Seconds = tuple[float, float]
"""By the clock, and of the processor."""


def _print(rows: Sequence[tuple[Seconds, Seconds]]) -> None:
    for index, name in enumerate(("clock", "processor")):
        ours, theirs = (statistics.median(row[side][index] for row in rows) for side in (0, 1))
        ratio = statistics.median(row[0][index] / row[1][index] for row in rows)
        print(
            f"  {name}: torch {ours:.3f} s, onnxruntime {theirs:.3f} s; of one pair torch takes "
            f"{ratio:.2f} times as long"
        )


def _started(program: str, model: str) -> Seconds:
    """Time a process of its own."""
    clock, before = time.perf_counter(), psutil.Process().cpu_times()
    subprocess.run([sys.executable, "-c", program, model], check=True)
    after = psutil.Process().cpu_times()
    processor = after.children_user + after.children_system
    processor -= before.children_user + before.children_system
    return time.perf_counter() - clock, processor


def _timed(work: Callable[[], object]) -> Seconds:
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor
