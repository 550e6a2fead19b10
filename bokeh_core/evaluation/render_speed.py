"""Seconds and memory of one rendering method, each measured in a process of its own."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import cv2
import numpy as np
import psutil

from bokeh_core.errors import OutOfMemory
from bokeh_core.evaluation.render_methods import TIMED, five_gaussians
from bokeh_core.evaluation.scenes import portrait
from bokeh_core.evaluation.thin_lens import Inputs, pinhole
from bokeh_core.lens import Lens

SCENE_WIDTH = 1024
MAX_COC = 48.0


@dataclass(frozen=True)
class Cost:
    """What one call took."""

    seconds_per_megapixel: float
    yardstick: float
    held_megabytes: float
    """Before the call: inputs, Python and its libraries."""
    peak_megabytes: float

    @property
    def ratio(self) -> float:
        """Time in units of the paper's five full-resolution Gaussians, same process."""
        return self.seconds_per_megapixel / self.yardstick


def measure(method: str, megapixels: float) -> Cost:
    """Time a method on the portrait scene enlarged to a size, focus on the subject.

    Parameters
    ----------
    method
        Name in `TIMED`.
    megapixels
        Size of the picture.

    Raises
    ------
    OutOfMemory
        The process was killed, which is nearly always for want of memory.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:  # context.Pool would wait for it for ever
        try:
            return pool.submit(_measured, method, megapixels).result()
        except BrokenProcessPool:
            raise OutOfMemory(
                f"{method}, {megapixels:g} MP: the process was killed (memory exhausted?)"
            ) from None


def _measured(method: str, megapixels: float) -> Cost:
    inputs, lens = _large(megapixels)
    size = inputs.depth.size / 1e6
    TIMED[method](_cropped(inputs), lens)  # first calls load libraries
    held = psutil.Process().memory_info().rss
    start = time.perf_counter()
    TIMED[method](inputs, lens)
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    start = time.perf_counter()
    five_gaussians(inputs, lens)
    yardstick = time.perf_counter() - start
    return Cost(seconds / size, yardstick / size, held / 1e6, peak / 1e6)


def _large(megapixels: float) -> tuple[Inputs, Lens]:
    scene = portrait(SCENE_WIDTH, 8)
    small = pinhole(scene)
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    size = (width, width * 3 // 4)
    focus = next(layer.disparity for layer in scene.layers if layer.subject)
    rgb, depth, matte = (
        np.asarray(cv2.resize(plane, size, interpolation=how), np.float32)
        for plane, how in (
            (small.rgb, cv2.INTER_LINEAR),
            (small.depth, cv2.INTER_NEAREST),
            (small.matte, cv2.INTER_LINEAR),
        )
    )
    inputs = Inputs(rgb, depth, matte)
    return inputs, Lens(focus=focus, max_coc=MAX_COC)


def _cropped(inputs: Inputs) -> Inputs:
    part = (slice(0, 128), slice(0, 128))
    return Inputs(inputs.rgb[part].copy(), inputs.depth[part].copy(), inputs.matte[part].copy())
