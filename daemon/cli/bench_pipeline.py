"""`defocus bench pipeline`: one large photo from file to files, as a user of the daemon sees it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import platform
import tempfile
import threading
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import psutil

from bokeh_core import samples
from bokeh_core.picture import Picture, read, write
from bokeh_core.presets import NATURAL, PortraitLens
from daemon.cli import argtypes
from daemon.cli.request import OUTPUT, PhotoRequest
from daemon.client import client, launch

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    import numpy.typing as npt
    from typing_extensions import Self

PACKAGES = ("torch", "numpy", "opencv-python-headless", "pyzmq", "pillow")
GOALS = {"warm": (6.0, 3000), "second": (6.5, 3000)}
"""Step -> most seconds and MB meant for 12 megapixels on two cores without a GPU."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the target's options."""
    parser.add_argument("--megapixels", type=float, default=12.0, metavar="MP", help="default 12")
    argtypes.add_device(parser, text="of the daemon's worker: cpu, cuda, cuda:1 ...")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


@dataclass(frozen=True)
class Step:
    """One measured step."""

    name: str
    what: str
    seconds: float
    peak_mb: float
    stages: dict[str, float]


class Memory:
    """The largest resident memory of a daemon and its worker together, sampled."""

    def __init__(self, pid: int) -> None:
        self._daemon = psutil.Process(pid)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak_mb = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.03):
            with contextlib.suppress(psutil.Error):  # a process that just ended
                family = (self._daemon, *self._daemon.children(recursive=True))
                total = sum(process.memory_info().rss for process in family)
                self.peak_mb = max(self.peak_mb, total / 1e6)


def photo(megapixels: float, seed: int = 1) -> npt.NDArray[np.uint8]:
    """Enlarge the sample to a 4:3 photo with some sensor noise, so that no two are the same."""
    source = read(samples.ASTRONAUT).pixels[:384]
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    size = (width, round(width * 3 / 4))
    large = cv2.resize(source, size, interpolation=cv2.INTER_LANCZOS4).astype(np.int16)
    noise = np.random.default_rng(seed).integers(-3, 4, large.shape, dtype=np.int16)
    return np.clip(large + noise, 0, 255).astype(np.uint8)


def run(args: argparse.Namespace) -> int:
    """Measure and print each step as soon as it is done."""
    machine = _machine()
    if not args.json:
        print(", ".join(f"{name} {value}" for name, value in machine.items()))
        print(f"{args.megapixels:g} MP JPEG -> composite, mask, depth; daemon + worker memory\n")
        print(f"{'step':8}{'seconds':>8}{'peak MB':>9}  what, goal, stages", flush=True)
    steps = []
    with tempfile.TemporaryDirectory(prefix="defocus-bench-") as name:
        folder = Path(name)
        os.environ.pop("DEFOCUS_REMOTE", None)  # a daemon of its own is measured, and shut down
        os.environ["DEFOCUS_RUNTIME_DIR"] = str(folder / "run")
        (folder / "run").mkdir(mode=0o700)
        for step in _measure(folder, args):
            steps.append(dataclasses.asdict(step))
            if not args.json:
                _print(step, args.megapixels)
    if args.json:
        print(json.dumps({"machine": machine, "steps": steps}))
    return 0


def _measure(folder: Path, args: argparse.Namespace) -> Iterator[Step]:
    files = [folder / f"{index}.jpg" for index in range(2)]
    for index, file in enumerate(files):
        pixels = photo(args.megapixels, seed=index)
        write(file, Picture(pixels))
    side = pixels.shape[1]
    f28, f14 = PortraitLens().coc(2.8, side), PortraitLens().coc(1.4, side)
    began = time.monotonic()
    where = launch.start(folder / "run", ("--device", args.device or "auto"))
    started = time.monotonic() - began
    try:
        with Memory(where.pid) as memory:
            step = _step("cold", "first photo after the start", files[0], f28, memory, started)
        yield step
        for name, what, max_coc in (
            ("warm", "another photo, all three results", f28),
            ("second", "the same photo, other parameters", f14),
        ):
            with Memory(where.pid) as memory:
                step = _step(name, what, files[1], max_coc, memory)
            yield step
    finally:
        with client.connect(start=False) as daemon:
            daemon.shutdown(drain=False)


def _step(
    name: str, what: str, file: Path, max_coc: float, memory: Memory, before_s: float = 0.0
) -> Step:
    began = time.monotonic()
    picture = read(file)
    order = PhotoRequest(picture, NATURAL.lens(max_coc), kinds=tuple(OUTPUT))
    done_reading = time.monotonic()
    made = client.render(order.job(), start=False)
    done_rendering = time.monotonic()
    for kind, wire in OUTPUT.items():
        planes = made.planes[wire]
        if kind == "composite":
            write(file.with_name(f"{file.stem}_{kind}.jpg"), order.composite(planes))
        else:
            write(file.with_name(f"{file.stem}_{kind}.png"), Picture(planes[..., None], "linear"))
    ended = time.monotonic()
    stages = {
        "read": done_reading - began,
        **made.timing,
        "wait and transport": done_rendering - done_reading - sum(made.timing.values()),
        "write": ended - done_rendering,
    }
    return Step(name, what, before_s + ended - began, memory.peak_mb, stages)


def _print(step: Step, megapixels: float) -> None:
    goal = GOALS.get(step.name)
    words = f", goal {goal[0]:g} s, {goal[1]} MB" if goal and megapixels == 12 else ""
    stages = ", ".join(f"{name} {seconds:.2f}" for name, seconds in step.stages.items())
    print(f"{step.name:8}{step.seconds:8.2f}{step.peak_mb:9.0f}  {step.what}{words}")
    print(f"{'':27}{stages}", flush=True)


def _machine() -> dict[str, object]:
    """Say where figures come from; a load above 0 tells that others computed at the same time."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
