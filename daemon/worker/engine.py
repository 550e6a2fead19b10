"""The real engine: `bokeh_core` on one device, its cache, and the ladder when memory runs out."""

from __future__ import annotations

import contextlib
import gc
import hashlib
from typing import TYPE_CHECKING

import numpy as np
import torch

from bokeh_core import devices
from bokeh_core.errors import BokehError, OutOfMemory
from bokeh_core.networks import hub, inference, own, registry, shipped
from daemon.runtime.log import Log
from daemon.wire.capabilities import Model
from daemon.wire.worker_protocol import Vitals
from daemon.worker import pixels
from daemon.worker.cache import ContentCache, UserCache, digests_by_user
from daemon.worker.engine_api import PlanesMissing, WrongField
from daemon.worker.pipeline import Task
from daemon.worker.values import Value, nbytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bokeh_core.networks.hub import HubModel
    from bokeh_core.networks.own import Use
    from bokeh_core.networks.records import ModelRecord
    from daemon.wire.planes import File, Input, Plane
    from daemon.wire.protocol import Render
    from daemon.worker.engine_api import Outcome, Report
    from daemon.worker.pixels import Codes

LADDER: tuple[tuple[bool, int | None], ...] = ((False, None), (False, 256), (True, 128))
"""(on the CPU?, tile side) of each try; the cache is freed before the second."""

HASHED_AT_ONCE = 64 << 20
"""Bytes hashed between two looks at whether the job was stopped: 50 ms."""

_log = Log("defocus.engine")


class BokehEngine:
    """Runs requests on one device and remembers every intermediate result.

    Parameters
    ----------
    cache_bytes
        Limit of the content cache.
    device
        Name of a torch device; None: the best there is.

    Raises
    ------
    InputError
        The device does not exist or cannot be used.
    """

    def __init__(self, cache_bytes: int, device: str | None) -> None:
        self._device = str(devices.find(device))
        self._cache: ContentCache[Value] = ContentCache(cache_bytes, nbytes)
        self.devices = list(dict.fromkeys([self._device, "cpu"]))
        self.models = _models()

    def warm_up(self) -> None:
        """Load the default network, so that the first photo does not wait for it."""
        with contextlib.suppress(BokehError):
            inference.network(registry.DEFAULT, devices.find(self._device))

    def run(
        self, user: str, request: Render, frames: Mapping[Input, memoryview], report: Report
    ) -> Outcome:
        """Compute what a request wants; see `daemon.worker.engine_api.Engine`."""
        cache = UserCache(self._cache, user)
        planes = _planes(cache, request, frames, report)
        for on_cpu, tile in LADDER:
            task = Task(cache, request, planes, "cpu" if on_cpu else self._device, tile)
            try:
                return task.run(report)
            except Exception as fault:
                if not devices.is_full(fault):
                    raise
                _log.warning("out of memory", id=request.id, tile=tile, reason=str(fault)[:300])
            self.free()
        raise OutOfMemory("not enough memory, even with the cache freed and small tiles")

    def vitals(self) -> Vitals:
        """Say what is held and how much memory it takes."""
        return Vitals(
            held=digests_by_user(self._cache),
            cache=self._cache.figures(),
            device_bytes=torch.cuda.memory_reserved() if self._device.startswith("cuda") else 0,
        )

    def free(self) -> None:
        """Free whatever can be computed again."""
        self._cache.clear()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def create(cache_bytes: int, device: str | None) -> BokehEngine:
    """Make the engine of a worker, warm."""
    engine = BokehEngine(cache_bytes, device)
    engine.warm_up()
    return engine


def _planes(
    cache: UserCache[Value],
    request: Render,
    frames: Mapping[Input, memoryview],
    report: Report,
) -> dict[Input, Codes]:
    """Find the pixels of every declared plane: sent with the job, or held already."""
    found: dict[Input, Codes] = {}
    missing: list[Input] = []
    for name, plane in request.planes.items():
        if name in frames:
            _check_digest(name, plane, frames[name], report)
            codes = pixels.view(plane, frames[name])
            cache.put("image", plane.digest, codes)
        else:
            held = cache.get("image", plane.digest)
            if not isinstance(held, np.ndarray):
                missing.append(name)
                continue
            if held.nbytes != plane.nbytes:
                raise WrongField(
                    name,
                    f"the digest of {name} is that of {held.nbytes} bytes, "
                    f"its declaration says {plane.nbytes}",
                )
            codes = pixels.view(plane, held.data)
        found[name] = codes
    if missing:
        raise PlanesMissing(missing)
    return found


def _check_digest(name: str, plane: Plane | File, data: memoryview, report: Report) -> None:
    """Refuse pixels that are not what they are declared to be: they would poison the cache."""
    found = hashlib.sha256()
    for start in range(0, len(data), HASHED_AT_ONCE):
        report("check", 0.0)
        found.update(data[start : start + HASHED_AT_ONCE])
    if found.hexdigest() != plane.digest:
        raise WrongField(
            name,
            f"the digest of {name} does not match its pixels",
            "It is the SHA-256 of the frame that follows, in lower-case hex.",
        )


def _models() -> list[Model]:
    try:
        records = {**own.index(), **shipped.index()}
    except BokehError as fault:
        _log.warning("no models", reason=str(fault))
        return []
    offered: list[tuple[ModelRecord | HubModel, Use]] = [
        (record, task) for record in records.values() for task in registry.gives(record.name)
    ]
    offered += [(model, model.task) for model in hub.MODELS.values() if hub.fetched(model)]
    return [
        Model(
            name=model.name,
            task=task,
            version=model.sha256[:8],  # weights have no other
            sha256=model.sha256,
            licence=model.licence,
        )
        for model, task in offered
        if task != "hair"  # refines what another has found
    ]
