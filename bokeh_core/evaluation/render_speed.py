"""Seconds and memory of a rendering method, each in a process of its own; seconds of every look."""

from __future__ import annotations

import functools
import multiprocessing
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import psutil

from bokeh_core.errors import OutOfMemory
from bokeh_core.evaluation.render_methods import TIMED, five_gaussians, ours
from bokeh_core.evaluation.scenes import portrait
from bokeh_core.evaluation.thin_lens import Inputs, pinhole
from bokeh_core.lens import Lens
from bokeh_core.presets import LOOKS, PortraitLens

if TYPE_CHECKING:
    from collections.abc import Callable

SCENE_WIDTH = 1024
MAX_COC = 48.0


@dataclass(frozen=True)
class Spent:
    """What a call took: seconds of the clock, and of all processors together.

    Other programs of the machine lengthen the first much and the second little.
    """

    wall: float
    processor: float

    @classmethod
    def on(cls, work: Callable[[], object]) -> Spent:
        """Do something and measure it."""
        wall, processor = time.perf_counter(), time.process_time()
        work()
        return cls(time.perf_counter() - wall, time.process_time() - processor)

    def least(self, other: Spent) -> Spent:
        """Return the smaller seconds of two measurements of the same work."""
        return Spent(min(self.wall, other.wall), min(self.processor, other.processor))

    def over(self, other: float | Spent) -> Spent:
        """Divide both by a number, or each by the other's."""
        if isinstance(other, Spent):
            return Spent(self.wall / other.wall, self.processor / other.processor)
        return Spent(self.wall / other, self.processor / other)


@dataclass(frozen=True)
class Cost:
    """What one call took."""

    per_megapixel: Spent
    yardstick: Spent
    """Of the paper's five full-resolution Gaussians, likewise, same process."""
    held_megabytes: float
    """Before the call: inputs, Python and its libraries."""
    peak_megabytes: float

    @property
    def ratio(self) -> Spent:
        """Time in units of the yardstick."""
        return self.per_megapixel.over(self.yardstick)


def measure(method: str, megapixels: float, rounds: int = 1) -> Cost:
    """Time a method on the portrait scene enlarged to a size, focus on the subject.

    Parameters
    ----------
    method
        Name in `TIMED`.
    megapixels
        Size of the picture.
    rounds
        How often; method and yardstick take turns, and of each the least counts.

    Raises
    ------
    OutOfMemory
        The process was killed, which is nearly always for want of memory.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:  # context.Pool would wait for it for ever
        try:
            return pool.submit(_measured, method, megapixels, rounds).result()
        except BrokenProcessPool:
            raise OutOfMemory(
                f"{method}, {megapixels:g} MP: the process was killed (memory exhausted?)"
            ) from None


def _measured(method: str, megapixels: float, rounds: int) -> Cost:
    inputs, lens = large(megapixels)
    TIMED[method](_cropped(inputs), lens)  # first calls load libraries
    held = psutil.Process().memory_info().rss
    spent = Spent.on(lambda: TIMED[method](inputs, lens))
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    yardstick = Spent.on(lambda: five_gaussians(inputs, lens))
    for _ in range(rounds - 1):
        spent = spent.least(Spent.on(lambda: TIMED[method](inputs, lens)))
        yardstick = yardstick.least(Spent.on(lambda: five_gaussians(inputs, lens)))
    size = inputs.depth.size / 1e6
    return Cost(spent.over(size), yardstick.over(size), held / 1e6, peak / 1e6)


def looks(megapixels: float, rounds: int = 1) -> dict[str, Spent]:
    """Time every ready-made look on the same scene, in turns; the least of each, per megapixel."""
    inputs, lens = large(megapixels)
    ours(_cropped(inputs), lens)
    portrait_lens = PortraitLens()
    found: dict[str, Spent] = {}
    for _ in range(rounds):
        for name, look in LOOKS.items():
            radius = portrait_lens.coc(look.f_number, max(inputs.depth.shape))
            lens = look.lens(radius)
            spent = Spent.on(functools.partial(ours, inputs, lens))
            found[name] = spent.least(found.get(name, spent))
    return {name: spent.over(inputs.depth.size / 1e6) for name, spent in found.items()}


def large(megapixels: float) -> tuple[Inputs, Lens]:
    """Return the portrait scene enlarged to a size, and a lens focused on its subject."""
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
