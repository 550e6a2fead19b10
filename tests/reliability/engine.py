"""An engine that computes next to nothing and misbehaves on request.

A request names its fault in `depth_model` as `FAULT@STAGE`, a stage being one of `STAGES`; a fault
with a leading `once-` happens only to the first worker that meets that request. Without a fault the
composite is the inverted image, the matte its first channel, and the depth the matte inverted.

| fault | what happens |
|---|---|
| crash | the process kills itself, as the out-of-memory killer would |
| exit | the process ends with status 70 |
| hang | no sign of life, ever |
| deaf | signs of life, but a stop is ignored |
| oom | `MemoryError`, as from an allocation |
| bug | an unexpected exception |
| corrupt | `ModelCorrupt` |
| slow | 20 ms of work per step, for 100 steps |
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bokeh_core.errors import ModelCorrupt
from daemon.wire.capabilities import Model
from daemon.wire.planes import DTYPES, NUMPY, ResultPlane
from daemon.wire.worker_protocol import Vitals
from daemon.worker import pixels
from daemon.worker.cache import ContentCache, UserCache, digests_by_user
from daemon.worker.engine_api import Outcome, PlanesMissing, WrongField

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.wire.planes import DType, Input, Output
    from daemon.wire.protocol import Render
    from daemon.worker.engine_api import Report
    from daemon.worker.pixels import Codes

STAGES = ("start", "matte", "render", "encode")
FAULTS = ("crash", "exit", "hang", "deaf", "oom", "bug", "corrupt", "slow")
MEMORY = "DEFOCUS_FAULT_MEMORY"
"""Environment variable: folder in which `once-` faults are remembered across workers."""
BREAK_START = "broken-start"
"""A file of this name in that folder makes every new worker end while loading."""


class FaultyEngine:
    """See the module."""

    def __init__(self, cache_bytes: int, memory: Path | None) -> None:
        self._cache: ContentCache[Codes] = ContentCache(cache_bytes, lambda codes: codes.nbytes)
        self._memory = memory
        self.devices = ["cpu"]
        self.models = [Model(name="none", task="matte")]

    def run(
        self, user: str, request: Render, frames: Mapping[Input, memoryview], report: Report
    ) -> Outcome:
        """Misbehave as told, or answer."""
        cache = UserCache(self._cache, user)
        codes = _planes(cache, request, frames)["image"]
        if request.region is not None:
            part = request.region
            rows, columns = part.top + part.height, part.left + part.width
            codes = codes[part.top : rows, part.left : columns]
        began = time.perf_counter()
        for done, stage in enumerate(STAGES):
            report(stage, done / len(STAGES))
            self._misbehave(request, stage, report)
        made: dict[Output, Codes] = {
            "composite": _inverted(codes),
            "matte": _map(codes[..., 0], request.map_dtype),
            "depth": _map(_inverted(codes[..., 0]), request.map_dtype),
        }
        return Outcome(
            planes=[
                ResultPlane(
                    name=name,
                    width=codes.shape[1],
                    height=codes.shape[0],
                    channels=codes.shape[2] if name == "composite" else 1,
                    dtype=DTYPES[made[name].dtype.str],
                    transfer=request.image.transfer if name == "composite" else "linear",
                )
                for name in request.want
            ],
            pixels=[np.ascontiguousarray(made[name]) for name in request.want],
            timing={"engine": time.perf_counter() - began},
            cached=[] if "image" in frames else ["image"],
        )

    def vitals(self) -> Vitals:
        """Say what is held."""
        return Vitals(held=digests_by_user(self._cache), cache=self._cache.figures())

    def _misbehave(self, request: Render, stage: str, report: Report) -> None:
        fault, _, where = request.depth_model.partition("@")
        if where != stage:
            return
        if fault.startswith("once-"):
            fault = fault.removeprefix("once-")
            if self._memory is None or (self._memory / request.id).exists():
                return
            (self._memory / request.id).touch()
        _FAULTS[fault](report)


def _inverted(codes: Codes) -> Codes:
    return np.invert(codes) if codes.dtype.kind == "u" else 1 - codes


def _map(codes: Codes, wanted: DType | None) -> Codes:
    """Return a map in the sample type asked for, by default its own."""
    if wanted is None or np.dtype(NUMPY[wanted]) == codes.dtype:
        return codes
    values = codes / np.iinfo(codes.dtype).max if codes.dtype.kind == "u" else codes
    if wanted == "f32":
        return values.astype(np.float32)
    kind = np.dtype(NUMPY[wanted])
    return np.rint(np.clip(values, 0, 1) * np.iinfo(kind).max).astype(kind)


def create(cache_bytes: int, device: str) -> FaultyEngine:
    """Make the engine; `device` is ignored."""
    del device
    memory = Path(os.environ[MEMORY]) if MEMORY in os.environ else None
    if memory is not None and (memory / BREAK_START).exists():
        print("the weights folder is on fire", file=sys.stderr)
        raise SystemExit(70)
    return FaultyEngine(cache_bytes, memory)


def _crash(_: Report) -> None:
    os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)


def _exit(_: Report) -> None:
    os._exit(70)


def _hang(_: Report) -> None:
    time.sleep(3600)


def _deaf(report: Report) -> None:
    while True:
        with contextlib.suppress(Exception):
            report("deaf", 0.5)
        time.sleep(0.02)


def _oom(_: Report) -> None:
    raise MemoryError("injected")


def _bug(_: Report) -> None:
    raise ZeroDivisionError("injected")


def _corrupt(_: Report) -> None:
    raise ModelCorrupt("default.safetensors: injected")


def _slow(report: Report) -> None:
    for step in range(100):
        report("slow", step / 100)
        time.sleep(0.02)


_FAULTS = {
    "crash": _crash,
    "exit": _exit,
    "hang": _hang,
    "deaf": _deaf,
    "oom": _oom,
    "bug": _bug,
    "corrupt": _corrupt,
    "slow": _slow,
}


def _planes(
    cache: UserCache[Codes], request: Render, frames: Mapping[Input, memoryview]
) -> dict[Input, Codes]:
    found: dict[Input, Codes] = {}
    missing: list[Input] = []
    for name, plane in request.planes.items():
        if name in frames:
            if hashlib.sha256(frames[name]).hexdigest() != plane.digest:
                raise WrongField(name, f"the digest of {name} does not match its pixels")
            cache.put("image", plane.digest, pixels.view(plane, frames[name]))
        held = cache.get("image", plane.digest)
        if name in frames:
            found[name] = pixels.view(plane, frames[name])
        elif held is not None:
            found[name] = pixels.view(plane, held.data)
        else:
            missing.append(name)
    if missing:
        raise PlanesMissing(missing)
    if found["image"].dtype.kind == "f" and not np.isfinite(found["image"]).all():
        raise WrongField("image", "the image holds NaN or infinite values")
    return found
